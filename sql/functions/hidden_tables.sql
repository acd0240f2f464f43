CREATE OR REPLACE FUNCTION sessiondb.hidden_tables()
RETURNS TABLE (name text, full_name text, shows_all boolean)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The tables that the rules read and of which row level security may hide rows from the calling role. For it, the rules
 * would choose among a part of the sessions, and a row that it does not see may exist. None for the triggers' owner, even
 * if row level security is forced: it sees what the triggers see.
 *
 * shows_all  the policies are true for it, so that it reads every row, but need not be able to lock or update it
 */
SELECT c.relname, format('%I.%I', n.nspname, c.relname), p.shows_all
  FROM sessiondb.installation AS i
 CROSS JOIN pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL (
        SELECT coalesce(bool_or(p.polpermissive AND e.is_true) AND bool_and(p.polpermissive OR e.is_true), false) AS shows_all
          FROM pg_policy AS p
         CROSS JOIN LATERAL (SELECT pg_get_expr(p.polqual, p.polrelid) = 'true' AS is_true) AS e
         WHERE p.polrelid = c.oid
           AND p.polcmd IN ('*', 'r')
           AND EXISTS (SELECT FROM unnest(p.polroles) AS t (role) WHERE t.role = 0 OR pg_has_role(t.role, 'USAGE'))
       ) AS p
 WHERE (n.nspname = i.platform_schema AND c.relname IN ('org_members', 'courses', 'sessions', 'enrollments', 'submissions')
        OR format('%I.%I', n.nspname, c.relname) IN (SELECT s.step ->> 'to' FROM jsonb_array_elements(i.course_joins) AS s (step)))
   AND row_security_active(c.oid)
   AND NOT EXISTS (
        SELECT FROM pg_proc AS f
         WHERE f.oid = to_regprocedure('sessiondb.link_submission()') AND pg_get_userbyid(f.proowner) = current_user)
$function$
