-- Objects in schema sessiondb of roles that are not trusted, and the roles that may create objects there: the very first
-- check, from the catalogs alone, before anything in the schema is read or run. $1 owns the platform's table enrollments.
--
-- A function of the platform that was moved to the schema keeps its owner; sessiondb never calls it.
WITH trusted (oid) AS (
{trusted_roles($1)}
),
home AS (
    SELECT n.oid, n.nspowner, n.nspacl FROM pg_namespace AS n WHERE n.nspname = 'sessiondb'
)
SELECT o.object, CASE o.owner WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(o.owner)) END AS role, o.may_create
  FROM (
        SELECT 'schema sessiondb' AS object, h.nspowner AS owner, false AS may_create FROM home AS h
        UNION ALL
        SELECT 'schema sessiondb', a.grantee, true
          FROM home AS h
         CROSS JOIN LATERAL aclexplode(h.nspacl) AS a
         WHERE a.privilege_type = 'CREATE' AND a.grantee <> h.nspowner
        UNION ALL
        SELECT format('relation %s', c.oid::regclass), c.relowner, false
          FROM pg_class AS c JOIN home AS h ON h.oid = c.relnamespace
        UNION ALL
        SELECT format('routine %s', p.oid::regprocedure), p.proowner, false
          FROM pg_proc AS p JOIN home AS h ON h.oid = p.pronamespace
         WHERE p.proname <> 'replaced_get_user_session_for_course'
        UNION ALL
        SELECT format('type %s', t.oid::regtype), t.typowner, false
          FROM pg_type AS t JOIN home AS h ON h.oid = t.typnamespace
        UNION ALL
        SELECT format('operator %s', p.oid::regoperator), p.oprowner, false
          FROM pg_operator AS p JOIN home AS h ON h.oid = p.oprnamespace
        UNION ALL
        SELECT format('operator class sessiondb.%I', p.opcname), p.opcowner, false
          FROM pg_opclass AS p JOIN home AS h ON h.oid = p.opcnamespace
        UNION ALL
        -- a role that may create objects in the database may install a trusted extension in any schema
        SELECT format('extension %I', x.extname), x.extowner, false
          FROM pg_extension AS x JOIN home AS h ON h.oid = x.extnamespace
        UNION ALL
        SELECT format('collation %s', c.oid::regcollation), c.collowner, false
          FROM pg_collation AS c JOIN home AS h ON h.oid = c.collnamespace
        UNION ALL
        -- what a role that had rights on one of the tables left there: before PostgreSQL 18 the triggers of a table whose foreign key
        -- refers to it run with the rights of the role that deletes a row
        SELECT format('foreign key %I of %s', k.conname, k.conrelid::regclass), t.relowner, false
          FROM pg_class AS c
          JOIN home AS h ON h.oid = c.relnamespace
          JOIN pg_constraint AS k ON k.confrelid = c.oid AND k.contype = 'f'
          JOIN pg_class AS t ON t.oid = k.conrelid
        UNION ALL
        SELECT f.object, p.proowner, false
          FROM pg_class AS c
          JOIN home AS h ON h.oid = c.relnamespace
         CROSS JOIN LATERAL (
{called_functions('pg_class'::regclass, c.oid)}
               ) AS f
          JOIN pg_proc AS p ON p.oid = f.oid
       ) AS o
 WHERE o.owner NOT IN (SELECT t.oid FROM trusted AS t)
 ORDER BY o.may_create, o.object
