-- The roles that can dump the database as the platform has it: they log in, read every table and sequence, and no row level
-- security keeps rows from them. Superusers and the like are excluded.
SELECT r.oid, r.rolname
  FROM pg_roles AS r
 WHERE r.rolcanlogin
   AND NOT r.rolsuper
   AND NOT EXISTS (SELECT FROM pg_class AS e
                   WHERE e.oid = to_regclass(format('%I.enrollments', current_setting('sessiondb.schema', true))) AND e.relowner = r.oid)
   AND NOT EXISTS (
        SELECT FROM pg_class AS c
          JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p', 'S')
           AND c.relpersistence <> 't'
           AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'sessiondb')
           AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
           AND (NOT has_schema_privilege(r.oid, n.oid, 'USAGE')
                OR NOT has_table_privilege(r.oid, c.oid, 'SELECT')
                OR c.relrowsecurity AND NOT r.rolbypassrls AND NOT pg_has_role(r.oid, c.relowner, 'USAGE')))
