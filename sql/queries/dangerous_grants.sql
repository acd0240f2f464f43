-- What is granted on objects of sessiondb, or on tables and schemas of the platform, to any role, and how that could be misused.
-- WITH: platform, trusted, used, relation (checks/grants.sql)
SELECT format('schema %s', n.nspname) AS object, 'SCHEMA' AS kind, quote_ident(n.nspname) AS name, n.nspowner AS owner,
       a.grantor, a.grantee, a.is_grantable,
       a.privilege_type AS privilege, NULL::name AS column_name, 'error' AS level,
       CASE a.privilege_type WHEN 'CREATE' THEN 'create objects in schema sessiondb' ELSE 'name what is in schema sessiondb' END AS danger
  FROM pg_namespace AS n
 CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
 WHERE n.nspname = 'sessiondb'
   AND (a.privilege_type = 'CREATE' OR a.grantee = 0)
UNION ALL
SELECT format('schema %s', n.nspname), 'SCHEMA', quote_ident(n.nspname), n.nspowner, a.grantor, a.grantee, a.is_grantable,
       a.privilege_type, NULL, 'warning',
       'create objects there: an object with the name of a table that is renamed or dropped is read in its place, and the '
       'platform''s own functions may call it'
  FROM pg_namespace AS n
 CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
 WHERE a.privilege_type = 'CREATE'
   AND (n.oid IN (SELECT h.oid FROM platform AS h)
        OR n.oid IN (SELECT c.relnamespace FROM used AS u JOIN pg_class AS c ON c.oid = u.relid)
        -- the search_path of the functions that the platform calls
        OR n.nspname IN (
            SELECT s.name
              FROM sessiondb.installation AS i
             CROSS JOIN LATERAL (
{schemas_in_path(i.search_path)}
                  ) AS s))
UNION ALL
SELECT format('table %s', r.oid::regclass), 'TABLE', format('%s', r.oid::regclass), r.relowner, r.grantor, r.grantee,
       r.is_grantable, r.privilege_type, r.column_name, 'error',
       CASE r.privilege_type
           WHEN 'SELECT' THEN 'read the data of sessiondb'
           WHEN 'TRIGGER' THEN 'put a trigger there that runs with the rights of any role that uses sessiondb'
           ELSE 'change what sessiondb relies on'
       END
  FROM relation AS r
 WHERE r.relnamespace = to_regnamespace('sessiondb')
   AND (r.privilege_type <> 'SELECT' OR r.grantee = 0
        OR r.relname ~ '^(saved_links|changed_rows)_of_' AND r.grantee NOT IN (SELECT d.oid FROM ({dumping_roles()}) AS d))
   -- a role that runs backfill saves its progress there
   AND NOT (r.relname = 'backfill_progress' AND r.privilege_type IN ('INSERT', 'UPDATE', 'DELETE') AND r.grantee <> 0)
UNION ALL
SELECT format('function %s', p.oid::regprocedure), 'FUNCTION', format('%s', p.oid::regprocedure), p.proowner, a.grantor,
       a.grantee, a.is_grantable, a.privilege_type, NULL, 'error',
       CASE WHEN p.prosecdef THEN 'act with the rights of its owner' ELSE 'attach it to a table of its own' END
  FROM pg_proc AS p
 CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
 WHERE p.pronamespace = to_regnamespace('sessiondb')
   AND (p.prosecdef OR p.prorettype = 'trigger'::regtype)
   -- the roles of the policies for staff, also one that was renamed
   AND NOT (p.proname IN ({functions_of_policies()}) AND NOT a.is_grantable AND EXISTS (
        SELECT FROM pg_policy AS l
         WHERE l.polname IN ('sessiondb_staff_enrollments', 'sessiondb_staff_submissions') AND l.polrelid IN (SELECT u.relid FROM used AS u)
           AND a.grantee = ANY (l.polroles)
        UNION ALL
        SELECT FROM sessiondb.installation AS i
         CROSS JOIN LATERAL (SELECT concat_ws(', ', to_jsonb(i) -> 'staff' ->> 'readers', to_jsonb(i) -> 'staff' ->> 'of_views') AS names) AS s
         WHERE coalesce((SELECT quote_ident(r.rolname) FROM pg_roles AS r WHERE r.oid = a.grantee), 'PUBLIC') = ANY ({split_names(s.names)})))
UNION ALL
SELECT CASE WHEN w.is_possible AND r.column_name IS NULL THEN format('tables of schema %s', r.relnamespace::regnamespace)
    ELSE format('table %s', r.relname) END,
       'TABLE', format('%s', r.oid::regclass), r.relowner, r.grantor, r.grantee, r.is_grantable, r.privilege_type, r.column_name,
       CASE WHEN w.is_possible THEN 'info' ELSE 'warning' END,
       CASE
           WHEN r.privilege_type = 'REFERENCES' THEN
               'create a foreign key that prevents the deletion of a row or, before PostgreSQL 18, runs code with the rights of '
               'the role that deletes it or changes its key'
           WHEN u.is_linked THEN 'put a trigger there that fires after those of sessiondb and changes the session of a row'
           ELSE 'put a trigger there that runs with the rights of any role that writes to it'
       END || CASE WHEN w.is_possible THEN ', as your own functions may do' ELSE '' END
  FROM relation AS r
  LEFT JOIN used AS u ON u.relid = r.oid
 CROSS JOIN LATERAL (SELECT u.relid IS NULL OR r.privilege_type = 'REFERENCES' AND NOT u.changes_keys AS is_possible) AS w
 WHERE r.privilege_type IN ('TRIGGER', 'REFERENCES')
   AND (u.relid IS NOT NULL
        OR r.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, to_regnamespace('sessiondb'))
           AND r.relowner IN (SELECT t.oid FROM trusted AS t UNION ALL SELECT s.oid FROM pg_roles AS s WHERE s.rolsuper))
UNION ALL
-- granted by membership in a role that may write to all tables
SELECT 'schema sessiondb', NULL, NULL, n.nspowner, n.nspowner, m.member, false, 'pg_write_all_data', NULL, 'warning',
       'change what sessiondb relies on'
  FROM pg_namespace AS n
 CROSS JOIN pg_auth_members AS m
 WHERE n.nspname = 'sessiondb'
   AND m.roleid = to_regrole('pg_write_all_data')
   -- no such statement gets past require_owner()
   AND EXISTS (
        SELECT FROM pg_class AS c
         WHERE c.relnamespace = n.oid AND c.relkind = 'r' AND c.relname <> 'backfill_progress'
           AND (SELECT count(*) < 2 FROM pg_trigger AS t
                 WHERE t.tgrelid = c.oid AND t.tgenabled = 'A' AND t.tgqual IS NULL AND t.tgfoid = to_regprocedure('sessiondb.require_owner()')))
