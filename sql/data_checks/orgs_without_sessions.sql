-- Every organisation with members has a session.
SELECT 'orgs_without_sessions' AS "check", 'info' AS level, 'org_members' AS object,
       pg_catalog.format('%s organisations with members have no session, so nothing of their members can be linked, for example %s.', pg_catalog.count(*),
                         pg_catalog.array_to_string((pg_catalog.array_agg(f.id ORDER BY f.id))[1:{examples}], ', ')) AS detail,
       'Create one: sessiondb session create --org SLUG --course ID --by ID' AS fix
  FROM (
        SELECT m.org_id AS id
          FROM org_members AS m
         WHERE NOT EXISTS (SELECT FROM sessions AS s WHERE s.org_id = m.org_id)
         GROUP BY m.org_id
       ) AS f
HAVING pg_catalog.count(*) > 0
