-- The statements that restore the saved links of a distributed table $1, those of one sixteenth of the users each; $2 and $3 as in
-- restore_pages. The sessions are named, as no statement of Citus that locks may read what another one finds.
SELECT d.place, format('DO %L', format($batch$
DECLARE
    v_id pg_catalog.uuid;
    v_saved pg_catalog.uuid[] := ARRAY(SELECT DISTINCT r.session_id FROM %2$s AS r WHERE r.session_id IS NOT NULL AND %5$s);
    v_locked pg_catalog.uuid[];
BEGIN
    PERFORM %6$s FROM %3$s LIMIT 0;
    DELETE FROM %2$s AS r USING %7$s AS t WHERE %8$s AND t.user_id OPERATOR(pg_catalog.=) r.user_id AND %5$s;
    DELETE FROM %2$s AS r USING %7$s AS t WHERE %9$s AND t.user_id OPERATOR(pg_catalog.=) r.user_id AND %5$s;
    FOR v_id IN SELECT id FROM %1$s WHERE id OPERATOR(pg_catalog.=) ANY (v_saved) FOR KEY SHARE LOOP
        v_locked := pg_catalog.array_append(v_locked, v_id);
    END LOOP;
    UPDATE %3$s AS t SET session_id = r.session_id FROM %2$s AS r
     WHERE %5$s AND %4$s AND t.user_id OPERATOR(pg_catalog.=) r.user_id AND t.session_id IS NULL
       AND r.session_id OPERATOR(pg_catalog.=) ANY (v_locked);
    DELETE FROM %2$s AS r WHERE %5$s;
END$batch$,
           $3.sessions, $2.name, $3.name, $2.same_row, d.condition, $2.columns, 'sessiondb.changed_rows_of_' || $1, $2.is_noted,
               $2.is_noted_without_key)) AS statement,
       json_build_object($1, 'ROW EXCLUSIVE', 'sessions', 'ROW SHARE') AS locks
  FROM ({user_slices('r')}) AS d
