-- No active session is hidden by a newer one of the same organisation and course. A session in which students are enrolled
-- is not hidden: it gets their submissions while it is active.
-- must see every row of: org_members, enrollments
SELECT 'shadowed_sessions' AS "check", 'warning' AS level, 'sessions' AS object,
       pg_catalog.format('%s can never be chosen, because the same organisation and course has a newer active session and no '
                         'student is enrolled in %s, for example %s.',
                         CASE WHEN f.rows OPERATOR(pg_catalog.=) 1 THEN '1 active session' ELSE f.rows::pg_catalog.text
                             OPERATOR(pg_catalog.||) ' active sessions' END,
                         CASE WHEN f.rows OPERATOR(pg_catalog.=) 1 THEN 'it' ELSE 'them' END,
                         (SELECT pg_catalog.string_agg(sessiondb.name_of('session', e.id), ', ' ORDER BY e.id)
                          FROM pg_catalog.unnest(f.examples) AS e (id))) AS detail,
       (SELECT 'Close them: ' OPERATOR(pg_catalog.||) pg_catalog.string_agg(
                   pg_catalog.format('sessiondb session set-status %s %s', sessiondb.shell_name('session', e.id), {ended}),
                   E'\n' ORDER BY e.id)
          FROM pg_catalog.unnest(f.examples) AS e (id)) AS fix
  FROM (
        SELECT pg_catalog.count(*) AS rows, (pg_catalog.array_agg(s.id ORDER BY s.id))[1:{examples}] AS examples
          FROM (
                SELECT s.id, s.org_id, s.course_id,
                       pg_catalog.row_number() OVER (
                           PARTITION BY s.org_id, s.course_id ORDER BY s.created_at DESC NULLS LAST, s.id DESC) AS place
                  FROM platform.sessions AS s
                 WHERE s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active' AND s.org_id IS NOT NULL
               ) AS s
         WHERE s.place OPERATOR(pg_catalog.>) 1
           AND NOT EXISTS (
                SELECT FROM enrolled AS e
                  JOIN platform.org_members AS m ON m.org_id OPERATOR(pg_catalog.=) s.org_id AND m.user_id OPERATOR(pg_catalog.=) e.user_id
                 WHERE e.session_id OPERATOR(pg_catalog.=) s.id AND e.course_id OPERATOR(pg_catalog.=) s.course_id)
       ) AS f
 WHERE f.rows OPERATOR(pg_catalog.>) 0
