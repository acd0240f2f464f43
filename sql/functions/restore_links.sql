CREATE OR REPLACE PROCEDURE sessiondb.restore_links(p_table name, p_first bigint, p_end bigint)
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Gives the links that a rollback saved, those on the pages from p_first to before p_end, back to
 * their rows and takes them from the saved ones, in one transaction. A row that was linked anew
 * keeps its session; a link whose row or session is gone is let go.
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
        'WITH restored AS (DELETE FROM %s WHERE ctid >= %L AND ctid < %L RETURNING *), '
        'living AS (SELECT s.id FROM %s AS s WHERE s.id IN (SELECT r.session_id FROM restored AS r) FOR KEY SHARE) '
        'UPDATE %s AS t SET session_id = r.session_id FROM restored AS r JOIN living AS l ON l.id = r.session_id '
        'WHERE %s AND t.session_id IS NULL',
        v_saved, format('(%s,0)', p_first), format('(%s,0)', p_end), v_sessions, v_table, v_same_key);
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.restore_links(name, bigint, bigint) IS
    'Gives some of the links that a rollback saved back to their rows';

REVOKE ALL ON PROCEDURE sessiondb.restore_links(name, bigint, bigint) FROM PUBLIC;
