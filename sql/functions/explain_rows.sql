CREATE OR REPLACE FUNCTION sessiondb.explain_rows(p_user_id uuid, p_course_id uuid)
RETURNS TABLE (step text, ok boolean, detail text, fix text)
LANGUAGE sql STABLE
SET search_path FROM CURRENT
AS $function$
/*
 * How many rows of each table the user has in the course, by session; a backfill where some are not linked.
 */
SELECT t.name, coalesce(pg_catalog.bool_or(r.session_id IS NOT NULL), false),
       coalesce('The user has ' || pg_catalog.sum(r.rows)::text || ' ' || t.noun || CASE WHEN pg_catalog.sum(r.rows)::bigint > 1 THEN 's' ELSE '' END || ' in the course: '
                || pg_catalog.string_agg(r.rows::text || coalesce(' linked to ' || sessiondb.name_of('session', r.session_id), ' not linked'), ', '
                       ORDER BY r.session_id IS NULL, r.rows DESC, r.session_id) || '.',
                'The user has no ' || t.noun || ' in the course.'),
       CASE WHEN pg_catalog.bool_or(r.rows > 0 AND r.session_id IS NULL) THEN 'sessiondb backfill' END
  FROM (VALUES ('enrollments', 'enrolment'), ('submissions', 'submission')) AS t (name, noun)
  LEFT JOIN (
        SELECT 'enrollments' AS table_name, e.session_id, pg_catalog.count(*) AS rows
          FROM enrollments AS e
         WHERE e.user_id = p_user_id
           AND e.course_id = p_course_id
         GROUP BY e.session_id
        UNION ALL
        SELECT 'submissions', b.session_id, pg_catalog.count(*)
          FROM submissions AS b
         WHERE b.user_id = p_user_id
           AND course_of(b) = p_course_id
         GROUP BY b.session_id
       ) AS r ON r.table_name = t.name
 GROUP BY t.name, t.noun
 ORDER BY t.name
$function$
