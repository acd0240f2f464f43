-- The submissions of a student in a course are in the session of an enrolment, as long as new ones come there: it is active, and the
-- student a member of its organisation.
-- must see every row of: none
SELECT 'split_students' AS "check", 'warning' AS level, 'submissions' AS object,
       pg_catalog.format('%s submissions that are not in the session of their enrolment in the course, for example %s.',
                         CASE WHEN pg_catalog.count(*) OPERATOR(pg_catalog.=) 1 THEN '1 student has'
                             ELSE pg_catalog.count(*)::pg_catalog.text OPERATOR(pg_catalog.||) ' students have' END,
                         (SELECT pg_catalog.string_agg(pg_catalog.format('%s (%s)', sessiondb.shell_name('user', e.id), e.id), ', ' ORDER BY e.id)
                            FROM pg_catalog.unnest((pg_catalog.array_agg(f.user_id ORDER BY f.user_id))[1:{examples}]) AS e (id))) AS detail,
       pg_catalog.format('If they did not change groups, move all to the session of the enrolment: '
                         'UPDATE %1$I.submissions AS r SET session_id = e.session_id '
                         'FROM %1$I.sessions AS s, %1$I.enrollments AS e, %1$I.sessions AS o, %1$I.org_members AS m '
                         'WHERE s.id OPERATOR(pg_catalog.=) r.session_id AND o.id OPERATOR(pg_catalog.=) e.session_id '
                         'AND o.status::pg_catalog.text OPERATOR(pg_catalog.=) ''active'' '
                         'AND m.org_id OPERATOR(pg_catalog.=) o.org_id AND m.user_id OPERATOR(pg_catalog.=) e.user_id '
                         'AND e.user_id OPERATOR(pg_catalog.=) r.user_id AND e.course_id OPERATOR(pg_catalog.=) s.course_id '
                         'AND o.course_id OPERATOR(pg_catalog.=) %2$s AND e.session_id OPERATOR(pg_catalog.<>) r.session_id '
                         'AND NOT EXISTS (SELECT FROM %1$I.enrollments AS same '
                         'WHERE same.user_id OPERATOR(pg_catalog.=) r.user_id AND same.course_id OPERATOR(pg_catalog.=) '
                         's.course_id AND same.session_id OPERATOR(pg_catalog.=) r.session_id)',
                         (SELECT i.platform_schema FROM sessiondb.installation AS i), sessiondb.course_expression('r')) AS fix
  FROM (
        SELECT DISTINCT e.user_id
          FROM submitted AS r
          JOIN platform.sessions AS s ON s.id OPERATOR(pg_catalog.=) r.session_id
          JOIN enrolled AS e ON e.user_id OPERATOR(pg_catalog.=) r.user_id AND e.course_id OPERATOR(pg_catalog.=) s.course_id
          JOIN platform.sessions AS o ON o.id OPERATOR(pg_catalog.=) e.session_id AND o.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active'
          JOIN platform.org_members AS m ON m.org_id OPERATOR(pg_catalog.=) o.org_id AND m.user_id OPERATOR(pg_catalog.=) e.user_id
         WHERE e.session_id OPERATOR(pg_catalog.<>) r.session_id
           -- the enrolment may have moved to another course, and the work to none
           AND o.course_id OPERATOR(pg_catalog.=) e.course_id AND o.course_id OPERATOR(pg_catalog.=) r.course_id
           AND NOT EXISTS (
                -- a student may be enrolled in two sessions of the course
                SELECT FROM enrolled AS same
                 WHERE same.user_id OPERATOR(pg_catalog.=) r.user_id AND same.course_id OPERATOR(pg_catalog.=) s.course_id
                   AND same.session_id OPERATOR(pg_catalog.=) r.session_id)
       ) AS f
HAVING pg_catalog.count(*) OPERATOR(pg_catalog.>) 0
