CREATE OR REPLACE FUNCTION sessiondb.count_linkable(p_course_id uuid)
RETURNS TABLE (enrollments bigint, submissions bigint)
LANGUAGE sql STABLE
AS $function$
/*
 * How many unlinked rows of the course a backfill would link now: those whose user is a member of an organisation with
 * an active session of the course.
 */
WITH entitled AS MATERIALIZED (
    SELECT DISTINCT m.user_id
      FROM platform.sessions AS s
      JOIN platform.org_members AS m ON m.org_id OPERATOR(pg_catalog.=) s.org_id
     WHERE s.course_id OPERATOR(pg_catalog.=) p_course_id
       AND s.status OPERATOR(pg_catalog.=) 'active'
)
SELECT (SELECT pg_catalog.count(*)
          FROM platform.enrollments AS e
         WHERE e.session_id IS NULL
           AND e.course_id OPERATOR(pg_catalog.=) p_course_id
           AND e.user_id OPERATOR(pg_catalog.=) ANY (SELECT t.user_id FROM entitled AS t)),
       (SELECT pg_catalog.count(*)
          FROM platform.submissions AS b
         WHERE b.session_id IS NULL
           AND b.user_id OPERATOR(pg_catalog.=) ANY (SELECT t.user_id FROM entitled AS t)
           AND course_of(b) OPERATOR(pg_catalog.=) p_course_id)
$function$
