-- If row level security shows linked rows to their students only, a trainer's dashboard is empty. A policy that lets other
-- users read is recognised by the columns and tables that it reads, itself or in the functions that it calls. Without row level
-- security, the policies of sessiondb have no effect.
SELECT 'staff' AS "check", 'warning' AS level, format('%I.%I', n.nspname, c.relname) AS object,
       format('Row level security shows the rows of table %s to their students only: the staff of a session''s organisation '
              'cannot read them.', c.relname) AS detail,
       'With the roles that your staff have in org_members'
       || CASE WHEN u.is_known THEN '' ELSE ', and the expression of your policies for the user who asks' END
       || ': sessiondb apply --staff ' || coalesce(r.names, 'ROLES') || CASE WHEN u.is_known THEN '' ELSE ' --current-user EXPRESSION' END AS fix
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname IN ('enrollments', 'submissions') AND c.relrowsecurity
 CROSS JOIN LATERAL (
        SELECT EXISTS (
                SELECT FROM pg_proc AS f JOIN pg_namespace AS a ON a.oid = f.pronamespace
                 WHERE a.nspname = 'auth' AND f.proname = 'uid' AND f.pronargs = 0 AND f.prorettype = 'uuid'::regtype) AS is_known
       ) AS u
 -- the usual words for staff among the roles that there are, by the definition of the column or the statistics
 CROSS JOIN LATERAL (
        SELECT string_agg(DISTINCT v.role, ',') AS names
          FROM (
                SELECT a.value AS role FROM (
{allowed_values('org_members', 'role')}
                       ) AS a
                UNION ALL
                SELECT unnest(s.most_common_vals::text::text[])
                  FROM pg_stats AS s
                 WHERE s.schemaname = n.nspname AND s.tablename = 'org_members' AND s.attname = 'role'
               ) AS v
         WHERE v.role ~* '^(owner|admin|administrator|manager|trainer|teacher|instructor|coach|tutor|'
                             'formateur|formatrice|enseignante?|professeure?|responsable|administrat(eur|rice))$'
       ) AS r
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND (SELECT to_jsonb(i) -> 'staff' ->> 'roles' FROM sessiondb.installation AS i) IS NULL
   AND EXISTS (
        SELECT FROM pg_policy AS p
         WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd IN ('r', '*'))
   AND NOT EXISTS (
        SELECT FROM pg_policy AS p
         CROSS JOIN LATERAL (
                SELECT pg_get_expr(p.polqual, p.polrelid) AS text
                UNION ALL
                SELECT f.prosrc
                  FROM pg_depend AS d
                  JOIN pg_proc AS f ON f.oid = d.refobjid
                 WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass
               ) AS read
         WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd IN ('r', '*')
           AND (read.text = 'true' OR read.text ~ '\m(session_id|org_id|org_members|sessions)\M'))
UNION ALL
SELECT 'staff', 'warning', format('%I.%I', n.nspname, c.relname),
       format('Row level security is not enabled on table %s, so its policy for staff has no effect: each role with '
              'SELECT on the table reads all rows.', c.relname),
       format('When it has policies for students, too: ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', n.nspname, c.relname)
  FROM sessiondb.installation AS i
  JOIN pg_namespace AS n ON n.nspname = i.platform_schema
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname IN ('enrollments', 'submissions') AND NOT c.relrowsecurity
 WHERE to_jsonb(i) -> 'staff' ->> 'roles' IS NOT NULL
UNION ALL
-- a right that was revoked since apply looked: every query of such a role would fail
SELECT 'staff', 'error', 'function sessiondb.current_user_id()',
       'The expression of --current-user needs a right that a role of the policies for staff lacks, so each of its queries fails.', g.statement
  FROM sessiondb.installation AS i
 CROSS JOIN LATERAL (SELECT to_regprocedure('sessiondb.current_user_id()')::oid AS asks, to_jsonb(i) -> 'staff' ->> 'readers' AS readers) AS f
 CROSS JOIN LATERAL (
{lacking_grants(f.asks, f.readers)}
       ) AS g
 ORDER BY object
