-- As findings of check column_types, the types of the columns that are read, their equality operators and collations, and the schemas of
-- these that belong to a role that is not trusted: the owner of a type may create a cast to json, which to_jsonb() calls, and may change the
-- constraints of a domain; that of a schema may rename it, and create another type, operator or collation with the names that our functions
-- have. Also of the tables with the names of users, whose own owner and that of their schema are trusted.
WITH platform AS (
    SELECT n.oid, n.nspname, c.relowner AS table_owner
      FROM pg_namespace AS n
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'enrollments'
     WHERE n.nspname = current_setting('sessiondb.schema')
),
part AS (
    SELECT c.oid AS relid, c.owner, c.schema_owner, p.attname, p.type_oid
      FROM (SELECT c.oid, h.table_owner AS owner, NULL::oid AS schema_owner
              FROM platform AS h
              JOIN pg_class AS c ON c.relnamespace = h.oid
             WHERE c.relname IN ('orgs', 'org_members', 'courses', 'sessions', 'enrollments', 'submissions')
            UNION
            SELECT unnest(w.tables), h.table_owner, NULL FROM platform AS h CROSS JOIN ({course_paths()}) AS w
            UNION
            SELECT c.oid, c.relowner, m.nspowner
              FROM platform AS h
             CROSS JOIN LATERAL (
{tables_with_names(h.nspname)}
                   ) AS u
              JOIN pg_class AS c ON c.oid = u.oid
              JOIN pg_namespace AS m ON m.oid = c.relnamespace) AS c
     CROSS JOIN LATERAL (
{types_of_columns(c.oid)}
           ) AS p
),
used AS (
    SELECT p.*, t.typowner AS used_owner, t.typnamespace AS namespace, 'Type ' || t.oid::regtype AS used,
           format('%s %s', CASE WHEN c.relkind <> 'c' THEN 'TABLE' ELSE 'TYPE' END, t.oid::regtype) AS what,
               format('TYPE %s', t.oid::regtype) AS object,
           -- a multirange type has the owner of its range type from PostgreSQL 17 on
           t.typtype <> 'm' OR current_setting('server_version_num')::integer < 170000 AS has_owner
      FROM part AS p
      JOIN pg_type AS t ON t.oid = p.type_oid AND NOT EXISTS (SELECT FROM pg_type AS e WHERE e.typarray = t.oid)
      LEFT JOIN pg_class AS c ON c.oid = t.typrelid
    UNION ALL
    SELECT p.*, o.oprowner, o.oprnamespace, 'Operator ' || o.oid::regoperator, 'OPERATOR ' || o.oid::regoperator, 'OPERATOR '
        || o.oid::regoperator, true
      FROM part AS p
      JOIN pg_opclass AS k ON k.opcintype = p.type_oid AND k.opcdefault AND k.opcnamespace <> 'pg_catalog'::regnamespace
      JOIN pg_am AS m ON m.oid = k.opcmethod AND m.amname = 'btree'
      JOIN pg_amop AS e ON e.amopfamily = k.opcfamily AND e.amopstrategy = 3 AND e.amoplefttype = k.opcintype AND e.amoprighttype = k.opcintype
      JOIN pg_operator AS o ON o.oid = e.amopopr
    UNION ALL
    SELECT p.*, l.collowner, l.collnamespace, 'Collation ' || l.oid::regcollation, 'COLLATION ' || l.oid::regcollation,
           'COLLATION ' || l.oid::regcollation, true
      FROM part AS p
      JOIN pg_attribute AS a ON a.attrelid = p.relid AND a.attname = p.attname AND a.atttypid = p.type_oid
      JOIN pg_collation AS l ON l.oid = a.attcollation AND l.collnamespace <> 'pg_catalog'::regnamespace
)
SELECT DISTINCT 'column_types' AS "check", 'error' AS level, f.object,
       format('%s of column %I of table %s %s role %I, which could make it run code with the rights of any role that reads it.',
              u.used, u.attname, u.relid::regclass, f.belongs_to, r.rolname) AS detail,
       -- what its owner has begun is not seen, and nothing more is begun once the type has another one
       format('Inspect it when, after this, you have ended the sessions and prepared transactions of role %I: ALTER %s OWNER TO %I',
              r.rolname, f.what, pg_get_userbyid(h.table_owner)) AS fix
  FROM platform AS h
 CROSS JOIN used AS u
  JOIN pg_namespace AS n ON n.oid = u.namespace
 CROSS JOIN LATERAL (
        SELECT u.used_owner AS owner, u.object, 'belongs to' AS belongs_to, u.what
         WHERE u.has_owner
        UNION ALL
        SELECT n.nspowner, format('SCHEMA %I', n.nspname), 'is in a schema of', format('SCHEMA %I', n.nspname)
         -- the owner of the platform's own could drop the tables in any case
         WHERE n.oid <> h.oid
       ) AS f
  JOIN pg_roles AS r ON r.oid = f.owner
 WHERE r.oid NOT IN (
{trusted_roles(u.owner)}
        UNION ALL
        SELECT v.oid FROM unnest(ARRAY[h.table_owner, u.schema_owner]) AS v (oid) WHERE v.oid IS NOT NULL
       )
