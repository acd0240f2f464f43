CREATE OR REPLACE PROCEDURE sessiondb.restore_links(p_table name, p_rows integer)
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Gives p_rows of the links that a rollback saved back to their rows and takes them from the saved
 * ones, in one transaction. A row that was linked anew keeps its session; a link whose row or
 * session is gone is let go.
 */
DECLARE
    v_table text := (SELECT format('%I.%I', i.host_schema, p_table) FROM sessiondb.installation AS i);
    v_sessions text := (SELECT format('%I.sessions', i.host_schema) FROM sessiondb.installation AS i);
    v_saved text := format('sessiondb.%I', 'saved_links_of_' || p_table);
    v_same_key text := (
        SELECT string_agg(format('t.%1$I = r.%1$I', a.attname), ' AND ')
          FROM pg_attribute AS a
         WHERE a.attrelid = to_regclass(v_saved) AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'session_id');
BEGIN
    EXECUTE format(
        'WITH restored AS (DELETE FROM %1$s WHERE ctid = ANY (ARRAY(SELECT ctid FROM %1$s LIMIT %2$s)) RETURNING *), '
        'living AS (SELECT s.id FROM %3$s AS s WHERE s.id IN (SELECT r.session_id FROM restored AS r) FOR KEY SHARE) '
        'UPDATE %4$s AS t SET session_id = r.session_id FROM restored AS r JOIN living AS l ON l.id = r.session_id '
        'WHERE %5$s AND t.session_id IS NULL',
        v_saved, p_rows, v_sessions, v_table, v_same_key);
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.restore_links(name, integer) IS
    'Gives some of the links that a rollback saved back to their rows';

REVOKE ALL ON PROCEDURE sessiondb.restore_links(name, integer) FROM PUBLIC;
