-- Row level security hides no row from our triggers. They run with the rights of the role that installed them (SECURITY
-- DEFINER), and an owner sees every row of its tables. If row level security is forced, or another role owns the table,
-- the installer sees only what the policies show; it is an error if that is nothing. Preflight also runs this check: the
-- role that applies will own the functions of the triggers.
WITH installer AS (
    SELECT r.oid, r.rolname
      FROM pg_roles AS r
     WHERE r.rolname = coalesce(
               (SELECT pg_get_userbyid(p.proowner)
                  FROM pg_proc AS p
                  JOIN pg_namespace AS n ON n.oid = p.pronamespace
                 WHERE n.nspname = 'sessiondb' AND p.proname = 'link_submission'),
               -- not one that the check privileges refuses
               (SELECT current_user
                  FROM pg_class AS c
                  JOIN pg_namespace AS n ON n.oid = c.relnamespace
                 WHERE n.nspname = current_setting('sessiondb.schema') AND c.relname = 'enrollments' AND pg_has_role(c.relowner, 'USAGE')))
       AND NOT r.rolsuper
       AND NOT r.rolbypassrls
),
-- the commands on each table, as in pg_policy: SELECT (r), and UPDATE (w), by a backfill, or because locking a row
-- requires the right to update it
needed AS (
    SELECT c.oid AS table_oid, required.command
      FROM (VALUES
            ('org_members', 'r'), ('sessions', 'r'), ('sessions', 'w'),
            ('enrollments', 'r'), ('enrollments', 'w'),
            ('submissions', 'r'), ('submissions', 'w')
           ) AS required (table_name, command)
      JOIN pg_namespace AS n ON n.nspname = current_setting('sessiondb.schema')
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = required.table_name
     UNION
    SELECT unnest(p.tables), 'r'
      FROM ({shortest_course_paths()}) AS p
),
-- what the policies let the installer see or change
shown AS (
    SELECT n.command, n.table_oid, i.rolname, c.relname AS table_name,
           format('%I.%I', ns.nspname, c.relname) AS full_name,
           pg_has_role(i.oid, c.relowner, 'USAGE') AS is_owner,
           p.some, p.every
      FROM needed AS n
     CROSS JOIN installer AS i
      JOIN pg_class AS c ON c.oid = n.table_oid
      JOIN pg_namespace AS ns ON ns.oid = c.relnamespace
     CROSS JOIN LATERAL (
{shown_rows(c.oid, n.command, i.oid)}
           ) AS p
     WHERE c.relrowsecurity
       AND (c.relforcerowsecurity OR NOT pg_has_role(i.oid, c.relowner, 'USAGE'))
)
SELECT DISTINCT ON (s.full_name)
       'row_security' AS "check",
       CASE WHEN s.some THEN 'warning' ELSE 'error' END AS level,
       s.full_name AS object,
       format(CASE
                  WHEN s.some THEN 'Row level security lets role %I, with whose rights the triggers and the backfill work, %s '
                                   'only those rows of table %s that its policies select.'
                  ELSE 'Row level security lets role %I, with whose rights the triggers and the backfill work, %s no row of table %s.'
              END,
              s.rolname, CASE WHEN s.command = 'r' THEN 'see' WHEN s.table_name = 'sessions' THEN 'lock' ELSE 'update' END, s.full_name) AS detail,
       CASE
           WHEN s.is_owner THEN
               coalesce((
                   SELECT format('If policy %1$I is for the former owner: ALTER POLICY %1$I ON %2$s TO %3$s, %4$I', p.polname,
                                 s.full_name, r.names, s.rolname)
                          || E'\nOr: '
                     FROM pg_policy AS p
                    CROSS JOIN LATERAL (SELECT string_agg(quote_ident(pg_get_userbyid(t.oid)), ', ') AS names FROM unnest(p.polroles) AS t (oid)) AS r
                    WHERE p.polrelid = s.table_oid AND p.polpermissive AND p.polcmd IN ('*', s.command)
                      AND pg_get_expr(p.polqual, p.polrelid) = 'true' AND 0 <> ALL (p.polroles)
                    ORDER BY p.polname
                    LIMIT 1), '')
               || format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', s.full_name)
           ELSE format('ALTER ROLE %I BYPASSRLS', s.rolname)
       END AS fix
  FROM shown AS s
 WHERE NOT s.every
 ORDER BY s.full_name, level, s.command
