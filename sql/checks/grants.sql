-- Nobody but the owner may write in schema sessiondb, call what acts with the owner's rights, or put a trigger of his
-- own on the tables that ours guard. What a role needs to read, docs/grants.md says.
WITH granted (object, name, owner, grantee, privilege, level, danger) AS (
    SELECT format('schema %s', n.nspname), format('SCHEMA %I', n.nspname), n.nspowner, a.grantee, a.privilege_type, 'error',
           CASE a.privilege_type WHEN 'CREATE' THEN 'make objects among ours' ELSE 'name what is in schema sessiondb' END
      FROM pg_namespace AS n
     CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
     WHERE n.nspname = 'sessiondb'
       AND (a.privilege_type = 'CREATE' OR a.grantee = 0)
    UNION ALL
    SELECT format('table %s', c.oid::regclass), format('TABLE %s', c.oid::regclass), c.relowner, a.grantee, a.privilege_type, 'error',
           CASE a.privilege_type WHEN 'SELECT' THEN 'read what sessiondb keeps' ELSE 'change what sessiondb relies on' END
      FROM pg_class AS c
     CROSS JOIN LATERAL aclexplode(c.relacl) AS a
     WHERE c.relnamespace = to_regnamespace('sessiondb')
       AND c.relkind IN ('r', 'v')
       AND (a.privilege_type <> 'SELECT' OR a.grantee = 0)
       -- whoever runs backfill keeps its progress there
       AND c.relname <> 'backfill_progress'
    UNION ALL
    SELECT format('function %s', p.oid::regprocedure), format('FUNCTION %s', p.oid::regprocedure), p.proowner, a.grantee, a.privilege_type, 'error',
           'act with the rights of its owner'
      FROM pg_proc AS p
     CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
     WHERE p.pronamespace = to_regnamespace('sessiondb')
       AND p.prosecdef
    UNION ALL
    SELECT format('table %s', c.relname), format('TABLE %s', c.oid::regclass), c.relowner, a.grantee, a.privilege_type, 'warning',
           'put a trigger there that fires after ours and changes the session of a row'
      FROM (VALUES ('enrollments'), ('submissions')) AS linked (table_name)
     CROSS JOIN LATERAL (
            SELECT to_regclass(format('%I.%I', current_setting('sessiondb.schema'), linked.table_name)) AS relid
           ) AS root
     CROSS JOIN LATERAL (
            SELECT root.relid UNION SELECT t.relid FROM pg_partition_tree(root.relid) AS t
           ) AS node
      JOIN pg_class AS c ON c.oid = node.relid
     CROSS JOIN LATERAL aclexplode(c.relacl) AS a
     WHERE a.privilege_type = 'TRIGGER'
)
SELECT 'grants' AS "check", g.level, g.object,
       format('%s may %s (%s).', coalesce('Role ' || r.rolname, 'Everybody'), g.danger, g.privilege) AS detail,
       format('REVOKE %s ON %s FROM %s', g.privilege, g.name, coalesce(quote_ident(r.rolname), 'PUBLIC')) AS fix
  FROM granted AS g
  LEFT JOIN pg_roles AS r ON r.oid = g.grantee
 WHERE g.grantee <> g.owner
   -- to those nothing is closed anyway
   AND NOT coalesce(r.rolsuper OR r.rolbypassrls AND g.level = 'warning', false)
 ORDER BY g.level, g.object, r.rolname, g.privilege
