-- No active session is hidden by a newer one of the same organisation and course.
SELECT 'shadowed_sessions' AS "check", 'warning' AS level, 'sessions' AS object,
       pg_catalog.format('%s active sessions are never chosen, because a newer active one of the same organisation and course is, for example %s.', pg_catalog.count(*),
                         pg_catalog.array_to_string((pg_catalog.array_agg(f.id ORDER BY f.id))[1:{examples}], ', ')) AS detail,
       'Close them: sessiondb session set-status ID completed' AS fix
  FROM (
        SELECT s.id
          FROM (
                SELECT s.id,
                       pg_catalog.row_number() OVER (
                           PARTITION BY s.org_id, s.course_id ORDER BY s.created_at DESC NULLS LAST, s.id DESC) AS place
                  FROM sessions AS s
                 WHERE s.status OPERATOR(pg_catalog.=) 'active'
               ) AS s
         WHERE s.place > 1
       ) AS f
HAVING pg_catalog.count(*) > 0
