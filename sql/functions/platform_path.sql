CREATE OR REPLACE FUNCTION sessiondb.platform_path()
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The search_path that the platform's own code expects: the initial one of the connection, as a command understood it when it
 * began. Any role that may create schemas could create the one that "$user" means while a command runs.
 */
SELECT coalesce(current_setting('sessiondb.platform_path', true), s.reset_val)
  FROM pg_settings AS s
 WHERE s.name = 'search_path'
$function$
