-- Only trusted roles (the owner of what is granted, superusers, the owners of the database, of schema sessiondb and of
-- enrollments) may write in schema sessiondb, call functions that run with the owner's rights, create objects where ours
-- look for the platform's, or create a trigger on a table that our commands write or read, or a foreign key to one from
-- which rows are deleted, or whose key they change. Where the platform's own functions write is not known, so either is a remark on any
-- other table of a trusted role. Members of a trusted role are not trusted for that reason; a grant on columns counts as one on the
-- table. docs/grants.md lists what a role needs to read.
--
-- Longer than a screen: a branch for each kind of object on which something can be granted.
WITH platform AS (
    SELECT n.oid, n.nspname, c.relowner AS table_owner
      FROM pg_namespace AS n
      LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'enrollments'
     WHERE n.nspname = current_setting('sessiondb.schema')
),
trusted (oid) AS (
    SELECT h.table_owner FROM platform AS h WHERE h.table_owner IS NOT NULL
    UNION
    SELECT n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'sessiondb'
    UNION
    SELECT d.datdba FROM pg_database AS d WHERE d.datname = current_database()
),
used AS (
    SELECT u.relid, bool_or(u.is_linked) AS is_linked, bool_or(u.changes_keys) AS changes_keys
      FROM (
{tables_in_use(false)}
           ) AS u
     GROUP BY u.relid
),
relation AS (
    SELECT c.oid, c.relname, c.relnamespace, c.relowner, a.grantor, a.grantee, a.is_grantable, a.privilege_type, NULL::name AS column_name
      FROM pg_class AS c
     CROSS JOIN LATERAL aclexplode(c.relacl) AS a
     UNION ALL
    SELECT c.oid, c.relname, c.relnamespace, c.relowner, a.grantor, a.grantee, a.is_grantable, a.privilege_type, t.attname
      FROM pg_class AS c
      JOIN pg_attribute AS t ON t.attrelid = c.oid AND NOT t.attisdropped
     CROSS JOIN LATERAL aclexplode(t.attacl) AS a
),
granted (object, kind, name, owner, grantor, grantee, is_grantable, privilege, column_name, level, danger) AS (
    SELECT format('schema %s', n.nspname), 'SCHEMA', quote_ident(n.nspname), n.nspowner, a.grantor, a.grantee, a.is_grantable, a.privilege_type, NULL::name, 'error',
           CASE a.privilege_type WHEN 'CREATE' THEN 'create objects in schema sessiondb' ELSE 'name what is in schema sessiondb' END
      FROM pg_namespace AS n
     CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
     WHERE n.nspname = 'sessiondb'
       AND (a.privilege_type = 'CREATE' OR a.grantee = 0)
    UNION ALL
    SELECT format('schema %s', n.nspname), 'SCHEMA', quote_ident(n.nspname), n.nspowner, a.grantor, a.grantee, a.is_grantable, a.privilege_type, NULL, 'warning',
           'create objects there: an object with the name of a table that is renamed or dropped is read in its place, and the platform''s own functions may call it'
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
    SELECT format('table %s', r.oid::regclass), 'TABLE', format('%s', r.oid::regclass), r.relowner, r.grantor, r.grantee, r.is_grantable, r.privilege_type, r.column_name, 'error',
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
    SELECT format('function %s', p.oid::regprocedure), 'FUNCTION', format('%s', p.oid::regprocedure), p.proowner, a.grantor, a.grantee, a.is_grantable, a.privilege_type, NULL, 'error',
           CASE WHEN p.prosecdef THEN 'act with the rights of its owner' ELSE 'attach it to a table of its own' END
      FROM pg_proc AS p
     CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
     WHERE p.pronamespace = to_regnamespace('sessiondb')
       AND (p.prosecdef OR p.prorettype = 'trigger'::regtype)
       -- the roles of the policies for staff
       AND NOT (p.proname IN ({functions_of_policies()}) AND NOT a.is_grantable AND EXISTS (
            SELECT FROM sessiondb.installation AS i
             CROSS JOIN LATERAL (SELECT concat_ws(', ', to_jsonb(i) -> 'staff' ->> 'readers', to_jsonb(i) -> 'staff' ->> 'of_views') AS names) AS s
             WHERE coalesce((SELECT quote_ident(r.rolname) FROM pg_roles AS r WHERE r.oid = a.grantee), 'PUBLIC') = ANY ({split_names(s.names)})))
    UNION ALL
    SELECT CASE WHEN w.is_possible AND r.column_name IS NULL THEN format('tables of schema %s', r.relnamespace::regnamespace) ELSE format('table %s', r.relname) END,
           'TABLE', format('%s', r.oid::regclass), r.relowner, r.grantor, r.grantee, r.is_grantable, r.privilege_type, r.column_name,
           CASE WHEN w.is_possible THEN 'info' ELSE 'warning' END,
           CASE
               WHEN r.privilege_type = 'REFERENCES' THEN
                   'create a foreign key that prevents the deletion of a row or, before PostgreSQL 18, runs code with the rights of the role that deletes it or changes its key'
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
    SELECT 'schema sessiondb', NULL, NULL, n.nspowner, n.nspowner, m.member, false, 'pg_write_all_data', NULL, 'warning', 'change what sessiondb relies on'
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
)
SELECT 'grants' AS "check", g.level, g.object,
       format('%s may %s (%s).', coalesce('Role ' || quote_ident(r.rolname) || CASE WHEN m.has_members THEN ', with its members,' ELSE '' END, 'Every role'),
              g.danger, g.privilege || coalesce(' of ' || g.columns, '')) AS detail,
       CASE
           WHEN g.name = '' THEN format('REVOKE %I FROM %I', g.privilege, r.rolname)
           -- REVOKE removes only what the owner has granted
           WHEN g.grantor <> g.owner THEN
               format('REVOKE GRANT OPTION FOR %s%s ON %s FROM %I CASCADE', g.privilege, ' (' || g.columns || ')', g.name, pg_get_userbyid(g.grantor))
           ELSE format('REVOKE %s%s ON %s FROM %s%s', g.privilege, ' (' || g.columns || ')', g.name, coalesce(quote_ident(r.rolname), 'PUBLIC'),
                       CASE WHEN g.is_grantable THEN ' CASCADE' ELSE '' END)
       END AS fix
  FROM (
        SELECT o.object, o.owner, o.grantor, o.grantee, o.is_grantable, o.privilege, o.level, o.danger,
               concat_ws(' ', o.kind, string_agg(DISTINCT o.name, ', ')) AS name,
               string_agg(DISTINCT quote_ident(o.column_name), ', ') AS columns
          FROM granted AS o
         GROUP BY o.object, o.kind, o.owner, o.grantor, o.grantee, o.is_grantable, o.privilege, o.level, o.danger, CASE WHEN o.column_name IS NOT NULL THEN o.name END
       ) AS g
  LEFT JOIN pg_roles AS r ON r.oid = g.grantee
 CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM pg_auth_members AS m WHERE m.roleid = g.grantee) AS has_members) AS m
 WHERE g.grantee <> g.owner
   AND (g.grantee = 0 OR EXISTS (
        SELECT FROM pg_roles AS u
         WHERE pg_has_role(u.oid, g.grantee, 'USAGE')
           AND u.oid NOT IN (SELECT t.oid FROM trusted AS t)
           -- these can do anything in any case
           AND NOT pg_has_role(u.oid, g.owner, 'USAGE')
           AND NOT (u.rolbypassrls AND g.level <> 'error')))
 ORDER BY g.level, g.object, r.rolname, g.privilege, g.columns
