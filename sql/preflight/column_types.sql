-- Only trusted roles own the types of the columns that are read, the types of which those consist, and their schemas: the owner of a
-- type may create a cast to json, which to_jsonb() calls, and may change the constraints of a domain; that of a schema may rename it,
-- and create another type and operator with the names that our functions have.
WITH platform AS (
    SELECT n.oid, c.relowner AS table_owner
      FROM pg_namespace AS n
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'enrollments'
     WHERE n.nspname = current_setting('sessiondb.schema')
),
part AS (
    SELECT c.oid AS relid, p.attname, p.type_oid
      FROM (SELECT c.oid
              FROM platform AS h
              JOIN pg_class AS c ON c.relnamespace = h.oid
             WHERE c.relname IN ('orgs', 'org_members', 'courses', 'sessions', 'enrollments', 'submissions')
            UNION
            SELECT unnest(w.tables) FROM ({course_paths()}) AS w) AS c
     CROSS JOIN LATERAL (
{types_of_columns(c.oid)}
           ) AS p
)
SELECT DISTINCT 'column_types' AS "check", 'error' AS level, f.object,
       format('Type %s of column %I of table %s %s role %I, which could make it run code with the rights of any role that reads it.',
              t.oid::regtype, p.attname, p.relid::regclass, f.belongs_to, r.rolname) AS detail,
       -- what its owner has begun is not seen, and nothing more is begun once the type has another one
       format('Inspect it when, after this, you have ended the sessions and prepared transactions of role %I: ALTER %s OWNER TO %I',
              r.rolname, f.what, pg_get_userbyid(h.table_owner)) AS fix
  FROM platform AS h
 CROSS JOIN part AS p
  JOIN pg_type AS t ON t.oid = p.type_oid AND NOT EXISTS (SELECT FROM pg_type AS e WHERE e.typarray = t.oid)
  JOIN pg_namespace AS n ON n.oid = t.typnamespace
  LEFT JOIN pg_class AS c ON c.oid = t.typrelid
 CROSS JOIN LATERAL (
        SELECT t.typowner AS owner, format('TYPE %s', t.oid::regtype) AS object, 'belongs to' AS belongs_to,
               format('%s %s', CASE WHEN c.relkind <> 'c' THEN 'TABLE' ELSE 'TYPE' END, t.oid::regtype) AS what
         -- a multirange type has the owner of its range type from PostgreSQL 17 on
         WHERE t.typtype <> 'm' OR current_setting('server_version_num')::integer < 170000
        UNION ALL
        SELECT n.nspowner, format('SCHEMA %I', n.nspname), 'is in a schema of', format('SCHEMA %I', n.nspname)
         -- the owner of the platform's own could drop the tables in any case
         WHERE n.oid <> h.oid
       ) AS f
  JOIN pg_roles AS r ON r.oid = f.owner
 WHERE r.oid NOT IN (
{trusted_roles(h.table_owner)}
       )
 ORDER BY object, detail
