-- The initial path of this connection is the platform's; ours is set for everything that does not touch its tables. What "$user"
-- means is looked up once: any role that may create schemas could create that one while the script runs.
SET search_path TO DEFAULT;
SELECT pg_catalog.set_config('sessiondb.platform_path', pg_catalog.current_schemas(false)::pg_catalog.text, false) AS sessiondb_schemas \gset
SET search_path TO pg_catalog, pg_temp;
SELECT set_config('sessiondb.platform_path', p.path, false) AS sessiondb_platform_path
  FROM (SELECT current_setting('sessiondb.platform_path')::name[] AS schemas) AS c
 CROSS JOIN LATERAL (
{named_path(c.schemas)}
       ) AS p \gset
