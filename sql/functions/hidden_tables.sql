CREATE OR REPLACE FUNCTION sessiondb.hidden_tables()
RETURNS TABLE (name text, full_name text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The tables that the rules read and of which row level security may hide rows from the calling role. For it, the rules
 * would choose among a part of the sessions, and a row that it does not see may exist.
 */
SELECT c.relname, format('%I.%I', n.nspname, c.relname)
  FROM sessiondb.installation AS i
 CROSS JOIN pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE (n.nspname = i.platform_schema AND c.relname IN ('org_members', 'courses', 'sessions', 'enrollments', 'submissions')
        OR format('%I.%I', n.nspname, c.relname) IN (SELECT s.step ->> 'to' FROM jsonb_array_elements(i.course_joins) AS s (step)))
   AND row_security_active(c.oid)
$function$
