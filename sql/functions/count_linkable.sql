CREATE OR REPLACE FUNCTION sessiondb.count_linkable(p_course_id uuid)
RETURNS TABLE (enrollments bigint, submissions bigint)
LANGUAGE sql STABLE
SET search_path FROM CURRENT
AS $function$
/*
 * How many unlinked rows of the course a backfill would link now: those whose user is a member of an organisation with
 * an active session of the course.
 */
WITH entitled AS MATERIALIZED (
    SELECT DISTINCT m.user_id
      FROM sessions AS s
      JOIN org_members AS m ON m.org_id = s.org_id
     WHERE s.course_id = p_course_id
       AND s.status OPERATOR(pg_catalog.=) 'active'
)
SELECT (SELECT pg_catalog.count(*)
          FROM enrollments AS e
         WHERE e.session_id IS NULL
           AND e.course_id = p_course_id
           AND e.user_id IN (SELECT t.user_id FROM entitled AS t)),
       (SELECT pg_catalog.count(*)
          FROM submissions AS b
         WHERE b.session_id IS NULL
           AND b.user_id IN (SELECT t.user_id FROM entitled AS t)
           AND course_of(b) = p_course_id)
$function$
