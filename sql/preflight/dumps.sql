-- A role that can dump the database can no longer do so if it may not read schema sessiondb.
WITH home AS (
    SELECT n.oid, n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'sessiondb'
)
SELECT 'dumps' AS "check", 'warning' AS level, 'schema sessiondb' AS object,
       format('Role %s can read every table, like a role for dumps, and pg_dump will also have to read schema sessiondb.',
              string_agg(quote_ident(b.rolname), ', ' ORDER BY b.rolname)) AS detail,
       format('If it is used for dumps, run after apply: GRANT USAGE ON SCHEMA sessiondb TO %1$s; GRANT '
              'SELECT ON ALL TABLES IN SCHEMA sessiondb TO %1$s;'
              ' ALTER DEFAULT PRIVILEGES FOR ROLE %2$I IN SCHEMA sessiondb GRANT SELECT ON TABLES TO %1$s',
              string_agg(quote_ident(b.rolname), ', ' ORDER BY b.rolname),
              coalesce((SELECT pg_get_userbyid(h.nspowner) FROM home AS h), current_user)) AS fix
  FROM ({dumping_roles()}) AS b
  JOIN pg_class AS e ON e.relname = 'enrollments' AND pg_has_role(e.relowner, 'USAGE')
  JOIN pg_namespace AS n ON n.oid = e.relnamespace AND n.nspname = current_setting('sessiondb.schema')
 WHERE NOT pg_has_role(b.oid, coalesce((SELECT h.nspowner FROM home AS h), (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = current_user)), 'USAGE')
   AND NOT pg_has_role(b.oid, 'pg_read_all_data', 'USAGE')
   AND NOT (coalesce(has_schema_privilege(b.oid, (SELECT h.oid FROM home AS h), 'USAGE'), false)
            AND NOT EXISTS (
                SELECT FROM home AS h
                  JOIN pg_class AS c ON c.relnamespace = h.oid AND c.relkind IN ('r', 'p', 'S')
                 WHERE NOT has_table_privilege(b.oid, c.oid, 'SELECT')))
HAVING count(*) > 0
