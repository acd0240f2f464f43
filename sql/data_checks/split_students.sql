-- What a student submits in a course is in the session of his enrolment.
SELECT 'split_students' AS "check", 'warning' AS level, 'submissions' AS object,
       pg_catalog.format('%s students have submissions in another session than their enrolment in the course, for example %s.',
                         pg_catalog.count(*),
                         pg_catalog.array_to_string((pg_catalog.array_agg(f.user_id ORDER BY f.user_id))[1:{examples}], ', ')) AS detail,
       'Nothing, where they changed groups; otherwise set session_id of the rows that are wrong.' AS fix
  FROM (
        SELECT DISTINCT e.user_id
          FROM submissions AS r
          JOIN sessions AS s ON s.id = r.session_id
          JOIN enrollments AS e ON e.user_id = r.user_id AND e.course_id = s.course_id
         WHERE e.session_id <> r.session_id
       ) AS f
HAVING pg_catalog.count(*) > 0
