-- The statements that drop column session_id of table $1, with its foreign key, after its links were saved. One that existed before is kept.
SELECT s.statement, json_build_object($1, 'ACCESS EXCLUSIVE', 'sessions', 'ACCESS EXCLUSIVE') AS locks, NULL::name AS scans
  FROM sessiondb.objects AS o
 CROSS JOIN LATERAL (SELECT format('%I.%I', current_setting('sessiondb.schema'), o.parent) AS name,
                     format('%I.sessions', current_setting('sessiondb.schema')) AS sessions) AS t
 CROSS JOIN LATERAL (
        VALUES (1, format('CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', '
                          'ARRAY[%L%s]::pg_catalog.regclass[])', t.name,
                              CASE WHEN to_regclass(t.sessions) IS NOT NULL THEN format(', %L', t.sessions) END)),
               (2, format('DO %L', format(
                   E'DECLARE\n'
                   '    v_new pg_catalog.regclass := sessiondb.table_not_noted(%1$s::pg_catalog.oid::pg_catalog.regclass);\n'
                   'BEGIN\n'
                   '    IF v_new IS NOT NULL THEN\n'
                   '        RAISE EXCEPTION USING ERRCODE = ''object_not_in_prerequisite_state'',\n'
                   '            MESSAGE = pg_catalog.format(''some links of table %%s are not saved: it became part of another '
                   'one, its triggers were disabled, or a column was renamed, while links were saved'', v_new),\n'
                   '            HINT = ''Run rollback again, which saves them.'';\n'
                   '    END IF;\n'
                   'END', to_regclass(t.name)::oid))),
               (3, (SELECT c.statement
                      FROM (
{save_changed_links($1)}
                           ) AS c)),
               (4, format('DROP TRIGGER IF EXISTS zzz_sessiondb_save ON %s', t.name)),
               (4, format('DROP TRIGGER IF EXISTS zzz_sessiondb_save_columns ON %s', t.name)),
               (5, format('DROP TABLE IF EXISTS %s', 'sessiondb.changed_rows_of_' || $1)),
               (6, format('ALTER TABLE %s DROP COLUMN IF EXISTS session_id', t.name))
       ) AS s (turn, statement)
 WHERE o.kind = 'column' AND o.parent = $1 AND o.name = 'session_id' AND o.origin = 'created'
   AND to_regclass(t.name) IS NOT NULL
   AND s.statement IS NOT NULL
 ORDER BY s.turn
