CREATE OR REPLACE FUNCTION sessiondb.platform_path()
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The search_path that the platform's own code expects: the initial one of the connection, as a command or a procedure
 * understood it when it began. Any role that may create schemas could create the one that "$user" means while it runs.
 */
DECLARE
    v_path text := CASE
        -- in a SECURITY DEFINER function the connection and its settings are those of another role: the path of apply
        WHEN current_user <> coalesce(nullif(current_setting('role'), 'none'), session_user) THEN (SELECT i.search_path
            FROM sessiondb.installation AS i)
        ELSE current_setting('sessiondb.platform_path', true) END;
    v_schemas name[];
BEGIN
    IF v_path !~ '^("([^"]|"")+", )*pg_temp$' IS NOT FALSE THEN
        PERFORM set_config('search_path', s.reset_val, true) FROM pg_settings AS s WHERE s.name = 'search_path';
        v_schemas := pg_catalog.current_schemas(false);
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        v_path := (
{named_path(v_schemas)}
        );
    END IF;
    RETURN v_path;
END
$function$
