-- Every organisation with members has a session. The fix is for the first one, and for the course in which most of its
-- members are enrolled.
SELECT 'orgs_without_sessions' AS "check", 'info' AS level, 'org_members' AS object,
       pg_catalog.format('%s no session, so nothing of the members can be linked, for example %s.',
                         CASE f.rows WHEN 1 THEN '1 organisation with members has' ELSE f.rows::text || ' organisations with members have' END,
                         pg_catalog.array_to_string(f.examples, ', ')) AS detail,
       coalesce('Create one, for instance: ' || sessiondb.org_command('session', f.examples[1], k.id), 'Create a course first.') AS fix
  FROM (
        SELECT pg_catalog.count(*) AS rows, (pg_catalog.array_agg(o.id ORDER BY o.id))[1:{examples}] AS examples
          FROM (SELECT DISTINCT m.org_id AS id FROM org_members AS m) AS o
         WHERE NOT EXISTS (SELECT FROM sessions AS s WHERE s.org_id = o.id)
       ) AS f
  LEFT JOIN LATERAL (
        SELECT c.id
          FROM courses AS c
          LEFT JOIN (
                SELECT e.course_id, pg_catalog.count(*) AS rows
                  FROM org_members AS m
                  JOIN enrollments AS e ON e.user_id = m.user_id
                 WHERE m.org_id = f.examples[1]
                 GROUP BY e.course_id
               ) AS enrolled ON enrolled.course_id = c.id
         ORDER BY enrolled.rows DESC NULLS LAST, c.id
         LIMIT 1
       ) AS k ON true
 WHERE f.rows > 0
