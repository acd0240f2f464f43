-- The search_path that this connection began with, under which the platform's own code runs, does not name pg_catalog
-- after another schema: objects there would hide PostgreSQL's own from the platform and from sessiondb.
SELECT 'search_path' AS "check", 'error' AS level, 'search_path' AS object,
       format('The search_path of this connection (%s) names pg_catalog after another schema, so objects in that schema hide those of PostgreSQL.',
              current_setting('sessiondb.search_path')) AS detail,
       format('Leave pg_catalog out, which is then searched first: ALTER ROLE %I SET search_path TO %s',
              current_user, regexp_replace(current_setting('sessiondb.search_path'), ', "(pg_catalog|pg_temp)"', '', 'g')) AS fix
 WHERE current_setting('sessiondb.search_path') LIKE '_%, "pg\_catalog",%'
