-- The role that owns the trigger functions has the rights that they need: if a right was revoked, or a table was given to
-- another owner, every INSERT fails or finds no session.
WITH owner AS (
    SELECT p.proowner AS oid, pg_get_userbyid(p.proowner) AS name
      FROM pg_proc AS p
     WHERE p.pronamespace = to_regnamespace('sessiondb') AND p.proname IN ('check_session', 'link_submission')
     ORDER BY p.proname DESC
     LIMIT 1
),
needed AS (
{needed_rights()}
),
used AS (
{tables_in_use(false)}
)
SELECT 'owner_rights' AS "check", 'error' AS level, f.object,
       format('Role %I, which owns the trigger functions, has no %s on %s, so %s.', o.name, f.privilege, f.object, f.effect) AS detail,
       format('GRANT %s ON %s TO %I', f.privilege, f.object, o.name) AS fix
  FROM owner AS o
 CROSS JOIN LATERAL (
        SELECT format('SCHEMA %I', n.nspname) AS object, 'USAGE' AS privilege, 'INSERTs fail' AS effect
          FROM pg_namespace AS n
         WHERE NOT has_schema_privilege(o.oid, n.oid, 'USAGE')
           AND (n.nspname IN (SELECT i.platform_schema FROM sessiondb.installation AS i UNION ALL SELECT 'sessiondb')
                OR EXISTS (SELECT FROM needed AS r JOIN pg_class AS c ON c.oid = r.table_oid WHERE c.relnamespace = n.oid)
                -- of an extension, for the type of a key
                OR EXISTS (
                    SELECT FROM pg_proc AS p
                     WHERE p.pronamespace = to_regnamespace('sessiondb')
                       AND p.proname IN ('find_session', 'find_enrolled_session', 'link_enrollment', 'link_submission', 'check_session')
                       AND strpos(p.prosrc, format('OPERATOR(%I.', n.nspname)) > 0))
        UNION
{lacking_execute(o.oid)}
        UNION
        -- of the tables that a policy reads which the server evaluates as that role
        SELECT r.oid::regclass::text, 'SELECT', 'INSERTs, a backfill or the deletion of a session fail'
          FROM used AS u
          JOIN pg_class AS c ON c.oid = u.relid AND c.relrowsecurity AND (c.relforcerowsecurity OR c.relowner <> o.oid)
          JOIN pg_roles AS w ON w.oid = o.oid AND NOT w.rolsuper AND NOT w.rolbypassrls
          JOIN pg_policy AS p ON p.polrelid = c.oid
              AND (p.polroles = '{0}' OR EXISTS (SELECT FROM unnest(p.polroles) AS l (oid) WHERE l.oid <> 0 AND pg_has_role(o.oid, l.oid, 'USAGE')))
          JOIN pg_depend AS d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> c.oid
          JOIN pg_class AS r ON r.oid = d.refobjid AND r.relkind IN ('r', 'p', 'v', 'm', 'f')
         WHERE CASE d.refobjsubid WHEN 0 THEN NOT has_any_column_privilege(o.oid, r.oid, 'SELECT')
                                  ELSE NOT has_column_privilege(o.oid, r.oid, d.refobjsubid::smallint, 'SELECT') END
        UNION
        -- also what ON DELETE SET NULL of the foreign keys needs
        SELECT c.oid::regclass::text, p.privilege, 'sessions cannot be deleted and rows not be linked'
          FROM sessiondb.installation AS i
         CROSS JOIN (VALUES ('enrollments'), ('submissions')) AS t (name)
         CROSS JOIN LATERAL (SELECT to_regclass(format('%I.%I', i.platform_schema, t.name))::oid AS relid) AS w
         CROSS JOIN LATERAL ({with_partitions(w.relid)}) AS node
          JOIN pg_class AS c ON c.oid = node.relid
          JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'session_id' AND NOT a.attisdropped
         CROSS JOIN unnest(ARRAY['SELECT', 'UPDATE']) AS p (privilege)
         WHERE c.relowner = o.oid AND NOT has_column_privilege(o.oid, c.oid, a.attnum, p.privilege)
           -- the other branch says so
           AND NOT (c.oid = w.relid AND t.name = 'enrollments' AND p.privilege = 'SELECT')
        UNION
        SELECT c.oid::regclass::text, p.privilege, 'commands fail'
          FROM pg_class AS c
         CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p (privilege)
         WHERE c.relnamespace = to_regnamespace('sessiondb') AND c.relkind = 'r' AND NOT has_table_privilege(o.oid, c.oid, p.privilege)
        UNION
        SELECT c.oid::regclass::text, r.privilege, 'INSERTs fail'
          FROM needed AS r
          JOIN pg_class AS c ON c.oid = r.table_oid
          JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = r.column_name AND NOT a.attisdropped
         WHERE CASE r.privilege WHEN 'UPDATE' THEN NOT has_any_column_privilege(o.oid, c.oid, 'UPDATE')
                                ELSE NOT has_column_privilege(o.oid, c.oid, a.attnum, r.privilege) END
       ) AS f
UNION ALL
SELECT 'owner_rights', 'warning', quote_ident(o.name),
       format('Role %I, which owns the trigger functions, is a superuser, so they run with superuser rights; the tables belong '
              'to %I.', o.name, t.rolname),
       'Give the installation to that role: see docs/grants.md.'
  FROM owner AS o
  JOIN pg_roles AS s ON s.oid = o.oid AND s.rolsuper
 CROSS JOIN sessiondb.installation AS i
  JOIN pg_namespace AS n ON n.nspname = i.platform_schema
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'enrollments'
  JOIN pg_roles AS t ON t.oid = c.relowner AND NOT t.rolsuper
 ORDER BY object, detail
