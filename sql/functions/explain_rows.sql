CREATE OR REPLACE FUNCTION sessiondb.explain_rows(p_user_id uuid, p_course_id uuid)
RETURNS TABLE (step text, ok boolean, detail text, fix text)
LANGUAGE sql STABLE
AS $function$
/*
 * How many rows of each table the user has in the course, by session; a backfill where some are not linked.
 */
SELECT t.name, coalesce(pg_catalog.bool_or(r.session_id IS NOT NULL), false),
       coalesce('The user has ' OPERATOR(pg_catalog.||) pg_catalog.sum(r.rows)::pg_catalog.text OPERATOR(pg_catalog.||) ' ' OPERATOR(pg_catalog.||) t.noun OPERATOR(pg_catalog.||) CASE WHEN pg_catalog.sum(r.rows)::bigint OPERATOR(pg_catalog.>) 1 THEN 's' ELSE '' END OPERATOR(pg_catalog.||) ' in the course: '
                OPERATOR(pg_catalog.||) pg_catalog.string_agg(r.rows::pg_catalog.text OPERATOR(pg_catalog.||) coalesce(' linked to ' OPERATOR(pg_catalog.||) sessiondb.name_of('session', r.session_id), ' not linked'), ', '
                       ORDER BY r.session_id IS NULL, r.rows DESC, r.session_id) OPERATOR(pg_catalog.||) '.',
                'The user has no ' OPERATOR(pg_catalog.||) t.noun OPERATOR(pg_catalog.||) ' in the course.'),
       CASE WHEN pg_catalog.bool_or(r.rows OPERATOR(pg_catalog.>) 0 AND r.session_id IS NULL) THEN 'sessiondb backfill' END
  FROM (VALUES ('enrollments', 'enrolment'), ('submissions', 'submission')) AS t (name, noun)
  LEFT JOIN (
        SELECT 'enrollments' AS table_name, e.session_id, pg_catalog.count(*) AS rows
          FROM platform.enrollments AS e
         WHERE e.user_id OPERATOR(pg_catalog.=) p_user_id
           AND e.course_id OPERATOR(pg_catalog.=) p_course_id
         GROUP BY e.session_id
        UNION ALL
        SELECT 'submissions', b.session_id, pg_catalog.count(*)
          FROM platform.submissions AS b
         WHERE b.user_id OPERATOR(pg_catalog.=) p_user_id
           AND course_of(b) OPERATOR(pg_catalog.=) p_course_id
         GROUP BY b.session_id
       ) AS r ON r.table_name OPERATOR(pg_catalog.=) t.name
 GROUP BY t.name, t.noun
 ORDER BY t.name
$function$
