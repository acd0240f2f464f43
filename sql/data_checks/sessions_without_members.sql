-- Every active session has somebody who can be linked to it.
SELECT 'sessions_without_members' AS "check", 'warning' AS level, 'sessions' AS object,
       pg_catalog.format('%s active sessions belong to an organisation without members, so nobody can be linked to them, for example %s.', pg_catalog.count(*),
                         pg_catalog.array_to_string((pg_catalog.array_agg(f.id ORDER BY f.id))[1:{examples}], ', ')) AS detail,
       'Add members: sessiondb member add --org SLUG --user ID' AS fix
  FROM (
        SELECT s.id
          FROM sessions AS s
         WHERE s.status OPERATOR(pg_catalog.=) 'active'
           AND NOT EXISTS (SELECT FROM org_members AS m WHERE m.org_id = s.org_id)
       ) AS f
HAVING pg_catalog.count(*) > 0
