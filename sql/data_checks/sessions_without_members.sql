-- Every active session has at least one user who can be linked to it.
-- must see every row of: org_members
SELECT 'sessions_without_members' AS "check", 'warning' AS level, 'sessions' AS object,
       pg_catalog.format('%s to an organisation without members, so no user can be linked to %s, for example %s.',
                         CASE WHEN f.rows OPERATOR(pg_catalog.=) 1 THEN '1 active session belongs' ELSE f.rows::pg_catalog.text
                             OPERATOR(pg_catalog.||) ' active sessions belong' END,
                         CASE WHEN f.rows OPERATOR(pg_catalog.=) 1 THEN 'it' ELSE 'them' END,
                         (SELECT pg_catalog.string_agg(sessiondb.name_of('session', e.id), ', ' ORDER BY e.id)
                          FROM pg_catalog.unnest(f.examples) AS e (id))) AS detail,
       (SELECT 'Make their students members of the organisation, or close them: '
               OPERATOR(pg_catalog.||) pg_catalog.string_agg(pg_catalog.format('sessiondb session set-status %s %s',
                   sessiondb.shell_name('session', e.id), {ended}), E'\n' ORDER BY e.id)
          FROM pg_catalog.unnest(f.examples) AS e (id)) AS fix
  FROM (
        SELECT pg_catalog.count(*) AS rows, (pg_catalog.array_agg(s.id ORDER BY s.id))[1:{examples}] AS examples
          FROM platform.sessions AS s
         WHERE s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active'
           AND s.org_id IS NOT NULL
           AND NOT EXISTS (SELECT FROM platform.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id)
       ) AS f
 WHERE f.rows OPERATOR(pg_catalog.>) 0
