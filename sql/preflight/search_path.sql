-- The search_path that this connection began with, under which the platform's own code runs, does not name pg_catalog
-- after another schema: objects there would hide PostgreSQL's own from the platform and from sessiondb. Nor does it name a
-- schema of a role that is not trusted, such as one that has the name of the current role.
SELECT 'search_path' AS "check", 'error' AS level, 'search_path' AS object,
       format('The search_path of this connection (%s) names pg_catalog after another schema, so objects in that schema hide those of PostgreSQL.',
              current_setting('sessiondb.platform_path')) AS detail,
       format('Leave pg_catalog out, which is then searched first: ALTER ROLE %I IN DATABASE %I SET search_path TO %s',
              current_user, current_database(),
                  regexp_replace(current_setting('sessiondb.platform_path'), ', "(pg_catalog|pg_temp)"', '', 'g')) AS fix
 WHERE current_setting('sessiondb.platform_path') LIKE '_%, "pg\_catalog",%'
UNION ALL
SELECT 'search_path', 'error', s.object, s.detail, s.fix
  FROM (SELECT current_setting('sessiondb.platform_path') AS path,
               (SELECT ({right_owner(n.oid)}) FROM pg_namespace AS n WHERE n.nspname = current_setting('sessiondb.schema')) AS table_owner) AS h
 CROSS JOIN LATERAL (
{schemas_of_others(h.path, h.table_owner, 'this connection', 'Run the command')}
       ) AS s
UNION ALL
-- one that was dropped while the command waited could be created again by any role
SELECT 'search_path', 'error', 'search_path',
       format('Schema %I in the search_path of this connection was dropped meanwhile.', s.name), 'Run the command again.'
  FROM (SELECT current_setting('sessiondb.platform_path') AS path) AS h
 CROSS JOIN LATERAL (
{schemas_in_path(h.path)}
       ) AS s
 WHERE NOT EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = s.name)
 ORDER BY object
