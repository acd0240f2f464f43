CREATE OR REPLACE FUNCTION sessiondb.ignore_early_link()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * BEFORE INSERT or UPDATE, as long as session_id is there and the functions that check it are not, in
 * an apply or a rollback under way: a session that a client gives is not taken, or he could place himself
 * in any. His statement goes on without it. The owner of the table may, for he restores saved links.
 */
BEGIN
    IF NOT pg_has_role(current_user, (SELECT c.relowner FROM pg_class AS c WHERE c.oid = TG_RELID), 'USAGE') THEN
        NEW.session_id := CASE TG_OP WHEN 'UPDATE' THEN OLD.session_id END;
    END IF;
    RETURN NEW;
END
$function$;

COMMENT ON FUNCTION sessiondb.ignore_early_link() IS
    'Trigger function: takes no session from a client while sessiondb is installed by half';

REVOKE ALL ON FUNCTION sessiondb.ignore_early_link() FROM PUBLIC;
