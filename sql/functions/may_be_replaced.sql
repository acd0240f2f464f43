CREATE OR REPLACE FUNCTION sessiondb.may_be_replaced(p_session_id uuid)
RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Whether another session could get the id of this one unnoticed, while a table has no foreign key to sessions, so that its row
 * would end in a session of another organisation: in the middle of the first apply, before 0004 is applied, and after a rollback
 * for a session that is younger than what that saved. If somebody dropped the key, check foreign_keys says so.
 */
DECLARE
    v_is_saved boolean;
BEGIN
    IF to_regclass('sessiondb.saved_links_of_sessions') IS NULL THEN
        RETURN NOT EXISTS (SELECT FROM sessiondb._yoyo_migration AS m WHERE starts_with(m.migration_id, '0004.'));
    END IF;
    EXECUTE 'SELECT EXISTS (SELECT FROM sessiondb.saved_links_of_sessions AS k WHERE k.session_id = $1)' INTO v_is_saved USING p_session_id;
    RETURN NOT v_is_saved;
EXCEPTION WHEN undefined_table THEN
    RETURN false;  -- an apply has just dropped the table, and added the key before
END
$function$
