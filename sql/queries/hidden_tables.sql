-- The tables that the rules read and of which row level security may hide rows from the calling role; shows_all if the policies are
-- true for it, so that it reads every row, but need not be able to lock or update it.
SELECT c.relname AS name, format('%I.%I', n.nspname, c.relname) AS full_name, p.every AS shows_all
  FROM sessiondb.installation AS i
 CROSS JOIN pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL (
{shown_rows(c.oid, 'r', current_user)}
       ) AS p
 WHERE (n.nspname = i.platform_schema AND c.relname IN ('org_members', 'courses', 'sessions', 'enrollments', 'submissions')
        OR format('%I.%I', n.nspname, c.relname) IN (SELECT s.step ->> 'to' FROM jsonb_array_elements(i.course_joins) AS s (step)))
   AND row_security_active(c.oid)
