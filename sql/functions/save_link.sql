CREATE OR REPLACE FUNCTION sessiondb.save_link()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * AFTER INSERT or UPDATE OF session_id, only while a rollback is under way: keeps the row's link
 * beside those that were saved in bulk, so that none is lost up to the moment the column goes. The
 * trigger's argument is the INSERT that sessiondb.prepare_saved_links() wrote for this table's key;
 * the dynamic SQL is paid during a rollback only.
 *
 * SECURITY DEFINER: whoever writes to the table has no rights in schema sessiondb.
 */
BEGIN
    EXECUTE TG_ARGV[0] USING NEW;
    RETURN NULL;
END
$function$;

COMMENT ON FUNCTION sessiondb.save_link() IS
    'Trigger function: keeps links that are written while a rollback is under way';

REVOKE ALL ON FUNCTION sessiondb.save_link() FROM PUBLIC;
