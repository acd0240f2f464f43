CREATE OR REPLACE FUNCTION sessiondb.session_command(p_org_id uuid, p_course_id uuid)
RETURNS text
LANGUAGE sql
STABLE
STRICT
SET search_path FROM CURRENT
AS $function$
/*
 * The command that creates a session of the course in the organisation, by one of its members, no student if it has
 * others. It names the organisation by its slug; where the platform has no slugs, only SQL can do it.
 */
SELECT coalesce(
    (SELECT 'sessiondb session create --org ' || sessiondb.slug_of_org(p_org_id) || ' --course ' || p_course_id::text || ' --by ' || m.user_id::text
       FROM org_members AS m
      WHERE m.org_id = p_org_id
      ORDER BY (pg_catalog.to_jsonb(m.*) ->> 'role'::text) = 'student'::text, m.user_id
      LIMIT 1),
    pg_catalog.format('INSERT INTO %I.sessions (org_id, course_id, status) VALUES (%L, %L, %L)',
        pg_catalog.current_schema(), p_org_id, p_course_id, 'active'))
$function$
