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
    v_table text := (SELECT format('%I.%I', i.platform_schema, p_table) FROM sessiondb.installation AS i);
    v_sessions text := (SELECT format('%I.sessions', i.platform_schema) FROM sessiondb.installation AS i);
    v_saved text := format('sessiondb.%I', 'saved_links_of_' || p_table);
    -- the same row, of the same user and on the same thing, unless that is gone
    v_same_row text := (
        SELECT string_agg(
                   format(CASE
                              WHEN a.attnum = ANY (k.conkey) THEN 't.%1$I = r.%1$I'
                              WHEN a.attname = 'user_id' THEN 't.%1$I IS NOT DISTINCT FROM r.%1$I'
                              ELSE '(t.%1$I IS NOT DISTINCT FROM r.%1$I OR t.%1$I IS NULL)'
                          END, a.attname), ' AND ')
          FROM pg_attribute AS a
          JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = 'p'
         WHERE a.attrelid = to_regclass(v_saved) AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'session_id');
BEGIN
    EXECUTE format(
        'WITH restored AS (DELETE FROM %s WHERE ctid >= %L AND ctid < %L RETURNING *), '
        'living AS (SELECT s.id FROM %s AS s WHERE s.id IN (SELECT r.session_id FROM restored AS r) FOR KEY SHARE) '
        'UPDATE %s AS t SET session_id = r.session_id FROM restored AS r JOIN living AS l ON l.id = r.session_id '
        'WHERE %s AND t.session_id IS NULL',
        v_saved, format('(%s,0)', p_first), format('(%s,0)', p_end), v_sessions, v_table, v_same_row);
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.restore_links(name, bigint, bigint) IS
    'Gives some of the links that a rollback saved back to their rows';

REVOKE ALL ON PROCEDURE sessiondb.restore_links(name, bigint, bigint) FROM PUBLIC;
