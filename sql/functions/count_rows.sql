CREATE OR REPLACE FUNCTION sessiondb.count_rows(p_user_id uuid, p_course_id uuid)
RETURNS TABLE (table_name text, session_id uuid, rows bigint)
LANGUAGE sql
STABLE
SET search_path FROM CURRENT
AS $function$
/*
 * How many rows the user has in the course, by table and by session; session_id is NULL for those that are
 * not linked.
 */
SELECT 'enrollments'::text, e.session_id, pg_catalog.count(*)
  FROM enrollments AS e
 WHERE e.user_id = p_user_id
   AND e.course_id = p_course_id
 GROUP BY e.session_id
UNION ALL
SELECT 'submissions'::text, b.session_id, pg_catalog.count(*)
  FROM submissions AS b
 WHERE b.user_id = p_user_id
   AND course_of(b) = p_course_id
 GROUP BY b.session_id
$function$
