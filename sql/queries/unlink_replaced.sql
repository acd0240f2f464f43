-- The statement that takes rows of table $1 (an oid) out of sessions, table $2 (an oid), that have another organisation or course
-- than when links were saved: they may have been created again with the same id while there was no key. With the mode of its
-- lock on both; no row if nothing was saved. $3 and $4 are the names of the tables.
SELECT format('DO %L', concat('BEGIN' || u.before, format(
           E'DECLARE\n'
           '    v_rows pg_catalog.int8;\n'
           'BEGIN\n'
           '    CALL sessiondb.lock_tables(''ROW EXCLUSIVE'', %2$L, %1$L);\n'
           '    PERFORM session_id FROM %2$s LIMIT 0;\n'
           '    PERFORM id, org_id, course_id FROM %1$s LIMIT 0;\n'
           '    UPDATE %2$s AS t SET session_id = NULL FROM sessiondb.saved_links_of_sessions AS k JOIN %1$s AS s ON s.id OPERATOR(pg_catalog.=) k.session_id\n'
           '     WHERE t.session_id OPERATOR(pg_catalog.=) k.session_id AND k.belongs_to OPERATOR(pg_catalog.<>) pg_catalog.concat(s.org_id, '' '', s.course_id);\n'
           '    GET DIAGNOSTICS v_rows = ROW_COUNT;\n'
           '    IF v_rows OPERATOR(pg_catalog.>) 0 THEN\n'
           '        RAISE NOTICE ''%% rows of %% leave sessions that have another organisation or course than before the rollback'', v_rows, %2$L;\n'
           '    END IF;\n'
           'END',
           $4, $3),
           ';' || u.after || 'END')) AS statement,
       CASE WHEN u.before IS NULL THEN 'ROW EXCLUSIVE' ELSE 'ACCESS EXCLUSIVE' END AS mode
  FROM ({unforced(ARRAY[$1,$2])}) AS u
 WHERE to_regclass('sessiondb.saved_links_of_sessions') IS NOT NULL
   AND coalesce(current_setting('sessiondb.citus', true), '') = ''
