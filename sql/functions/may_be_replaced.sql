CREATE OR REPLACE FUNCTION sessiondb.may_be_replaced(p_table text, p_session_id uuid)
RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Whether another session could get the id of this one unnoticed, while table p_table, enrollments or submissions, has no foreign
 * key to sessions, so that a row would end in a session of another organisation: in the middle of the first apply, and after a
 * rollback for a session that is younger than what that saved. If somebody dropped the key, check foreign_keys says so.
 */
DECLARE
    v_is_saved boolean;
BEGIN
    IF to_regclass('sessiondb.saved_links_of_sessions') IS NULL THEN
        RETURN NOT EXISTS (SELECT FROM sessiondb.objects AS o WHERE o.kind = 'constraint' AND o.parent = p_table);
    END IF;
    EXECUTE 'SELECT EXISTS (SELECT FROM sessiondb.saved_links_of_sessions AS k WHERE k.session_id = $1)' INTO v_is_saved USING p_session_id;
    RETURN NOT v_is_saved;
EXCEPTION WHEN undefined_table THEN
    RETURN false;  -- an apply has just dropped the table, and added the key before
END
$function$
