-- What a student submits in a course is in the session of his enrolment.
SELECT 'split_students' AS "check", 'warning' AS level, 'submissions' AS object,
       pg_catalog.format('%s submissions in another session than their enrolment in the course, for example %s.',
                         CASE pg_catalog.count(*) WHEN 1 THEN '1 student has' ELSE pg_catalog.count(*)::text || ' students have' END,
                         pg_catalog.array_to_string((pg_catalog.array_agg(f.user_id ORDER BY f.user_id))[1:{examples}], ', ')) AS detail,
       pg_catalog.format('Nothing, where they changed groups. To move all to the session of the enrolment: UPDATE %1$I.submissions AS r SET session_id = e.session_id FROM %1$I.sessions AS s, %1$I.enrollments AS e WHERE s.id = r.session_id AND e.user_id = r.user_id AND e.course_id = s.course_id AND e.session_id <> r.session_id',
                         pg_catalog.current_schema()) AS fix
  FROM (
        SELECT DISTINCT e.user_id
          FROM submissions AS r
          JOIN sessions AS s ON s.id = r.session_id
          JOIN enrollments AS e ON e.user_id = r.user_id AND e.course_id = s.course_id
         WHERE e.session_id <> r.session_id
       ) AS f
HAVING pg_catalog.count(*) > 0
