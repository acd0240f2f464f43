-- Every organisation with members has a session. The fix is for the first one, and for the course in which most of its
-- members are enrolled.
-- must see every row of: sessions
SELECT 'orgs_without_sessions' AS "check", 'info' AS level, 'org_members' AS object,
       pg_catalog.format('%s no session, so nothing of the members can be linked, for example %s.',
                         CASE WHEN f.rows OPERATOR(pg_catalog.=) 1 THEN '1 organisation with members has'
                             ELSE f.rows::pg_catalog.text OPERATOR(pg_catalog.||) ' organisations with members have' END,
                         (SELECT pg_catalog.string_agg(pg_catalog.format('%s (%s)', sessiondb.name_of('org', e.id), e.id), ', ' ORDER BY e.id)
                            FROM pg_catalog.unnest(f.examples) AS e (id))) AS detail,
       coalesce((
           SELECT pg_catalog.concat(
                      'Create one, ',
                          CASE WHEN c.command OPERATOR(pg_catalog.~) '^INSERT .*<' THEN 'with values for what is in angle '
                              'brackets, which your platform requires: ' ELSE 'for instance: ' END,
                      c.command, CASE WHEN pg_catalog.starts_with(c.command, 'INSERT') THEN E'\nThen: sessiondb backfill' ELSE ' --backfill' END)
             FROM pg_catalog.replace(sessiondb.org_command('session', f.examples[1], k.id), E'\n', '\n') AS c (command)),
                 'Create a course first.') AS fix
  FROM (
        SELECT pg_catalog.count(*) AS rows, (pg_catalog.array_agg(o.id ORDER BY o.id))[1:{examples}] AS examples
          FROM (SELECT DISTINCT m.org_id AS id FROM platform.org_members AS m) AS o
         WHERE NOT EXISTS (SELECT FROM platform.sessions AS s WHERE s.org_id OPERATOR(pg_catalog.=) o.id)
       ) AS f
  LEFT JOIN LATERAL (
        SELECT c.id
          FROM platform.courses AS c
          LEFT JOIN (
                SELECT e.course_id, pg_catalog.sum(e.rows) AS rows
                  FROM platform.org_members AS m
                  JOIN enrolled AS e ON e.user_id OPERATOR(pg_catalog.=) m.user_id
                 WHERE m.org_id OPERATOR(pg_catalog.=) f.examples[1]
                 GROUP BY e.course_id
               ) AS enrolled ON enrolled.course_id OPERATOR(pg_catalog.=) c.id
         ORDER BY enrolled.rows DESC NULLS LAST, c.id
         LIMIT 1
       ) AS k ON true
 WHERE f.rows OPERATOR(pg_catalog.>) 0
