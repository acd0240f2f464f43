CREATE OR REPLACE PROCEDURE sessiondb.guard_links(p_table name)
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
SET client_min_messages = warning
AS $procedure$
/*
 * Puts ignore_early_link() behind the two triggers that check a session, before they can check it and
 * after they could: whoever adds session_id must not leave it open for a moment. A column that was there
 * before us was open before us; there the triggers are dropped, without a notice where there are none.
 *
 * Lock: SHARE ROW EXCLUSIVE on the table, or ACCESS EXCLUSIVE to drop them.
 */
DECLARE
    v_table regclass := (SELECT format('%I.%I', i.platform_schema, p_table)::regclass FROM sessiondb.installation AS i);
    v_check name := format('zzz_sessiondb_check_%s', rtrim(p_table, 's'));
    v_update name := format('zzz_sessiondb_check_%s_update', rtrim(p_table, 's'));
    v_comment text := 'Takes no session from a client until it can be checked (sessiondb)';
BEGIN
    IF NOT sessiondb.has_own_session_id(p_table) THEN
        EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', v_update, v_table);
        EXECUTE format('DROP TRIGGER IF EXISTS %I ON %s', v_check, v_table);
        RETURN;
    END IF;
    EXECUTE format('CREATE OR REPLACE TRIGGER %I BEFORE INSERT ON %s FOR EACH ROW '
                   'WHEN (NEW.session_id IS NOT NULL) EXECUTE FUNCTION sessiondb.ignore_early_link()', v_check, v_table);
    EXECUTE format('CREATE OR REPLACE TRIGGER %I BEFORE UPDATE OF session_id ON %s FOR EACH ROW '
                   'WHEN (NEW.session_id IS NOT NULL AND NEW.session_id IS DISTINCT FROM OLD.session_id) '
                   'EXECUTE FUNCTION sessiondb.ignore_early_link()', v_update, v_table);
    EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', v_check, v_table, v_comment);
    EXECUTE format('COMMENT ON TRIGGER %I ON %s IS %L', v_update, v_table, v_comment);
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.guard_links(name) IS
    'Closes session_id of a table to clients until it can be checked';

REVOKE ALL ON PROCEDURE sessiondb.guard_links(name) FROM PUBLIC;
