-- The search_path of the functions that the platform calls: the initial one of the connection. If it lacks the platform's schema,
-- that follows the others: what the platform's own code names without a schema would else be sought among
-- the temporary tables of the role that writes.
SELECT CASE WHEN p.schema IN (
                SELECT s.name
                  FROM (
{schemas_in_path(p.path)}
                       ) AS s) THEN p.path
            ELSE concat(left(p.path, -length('pg_temp')), '"', replace(p.schema, '"', '""'), '", pg_temp') END
  FROM (SELECT current_setting('sessiondb.platform_path') AS path, current_setting('sessiondb.schema') AS schema) AS p
