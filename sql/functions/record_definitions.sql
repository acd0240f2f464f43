CREATE OR REPLACE PROCEDURE sessiondb.record_definitions()
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Keeps the definition of each claimed object as the catalogs show it now, at the end of the
 * migration that made it; status and check compare with it ever after. What has a definition
 * already keeps it: a change made by hand must not become the norm by a later migration.
 */
BEGIN
    UPDATE sessiondb.objects AS o
       SET definition = l.definition
      FROM sessiondb.live_objects AS l
     WHERE l.kind = o.kind AND l.parent = o.parent AND l.name = o.name
       AND o.definition IS NULL;
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.record_definitions() IS
    'Keeps the definitions of newly made objects, for status and check to compare with';

REVOKE ALL ON PROCEDURE sessiondb.record_definitions() FROM PUBLIC;
