-- The statement, as text, that has each row of table $1, named $2, noted that is written from now on: those that create
-- the table for its columns $3 (text[], quoted), and the trigger, which runs for each writer, during a rollback or an apply, $4; and one
-- that only keeps the types of these columns.
SELECT format('DO %L', format(
           E'DECLARE\n'
           '    v_missed pg_catalog.bool := false;\n'
           'BEGIN\n'
           '    CALL sessiondb.lock_tables(''SHARE ROW EXCLUSIVE'', ARRAY[%4$L]::pg_catalog.regclass[]);\n'
           '    %10$s'
           'IF pg_catalog.to_regclass(%1$L) IS NULL THEN\n'
           '        CREATE TABLE %1$s AS SELECT %3$s FROM %4$s WITH NO DATA;\n'
           -- it has no key, and may be part of a publication
           '        ALTER TABLE %1$s REPLICA IDENTITY FULL;\n'
           '        COMMENT ON TABLE %1$s IS %5$L;\n'
           '        %6$sCALL sessiondb.secure_schema();\n'
           '    ELSE\n'
           '        v_missed := %9$s;\n'
           '        IF v_missed AND %11$L THEN\n'
           '            RAISE EXCEPTION USING ERRCODE = ''object_not_in_prerequisite_state'', MESSAGE = %12$L, HINT = %13$L;\n'
           '        END IF;\n'
           '    END IF;\n'
           -- the column without its row: else one that was renamed would be a call of a function
           '    PERFORM session_id FROM %4$s LIMIT 0;\n'
           '    CREATE OR REPLACE TRIGGER zzz_sessiondb_save AFTER INSERT OR UPDATE '
           'OR DELETE ON %4$s FOR EACH ROW EXECUTE FUNCTION sessiondb.note_change(%7$s);\n'
           '    %8$s'
           -- of the transaction that creates the trigger, until that is disabled: see step drop_column
           'COMMENT ON TRIGGER zzz_sessiondb_save ON %4$s IS ''Notes what is written while sessiondb saves or restores links'';\n'
           '    %2$s'
           -- any row may have been written
           '    IF v_missed THEN\n'
           '        INSERT INTO %1$s DEFAULT VALUES;\n'
           '    END IF;\n'
           'END',
           'sessiondb.changed_rows_of_' || $1,
           -- PostgreSQL changes the type of no column that a trigger names; what was noted, and saved, would be compared with other values
           CASE WHEN current_setting('sessiondb.citus', true) IS DISTINCT FROM 'distributed'
                THEN format(E'CREATE OR REPLACE TRIGGER zzz_sessiondb_save_columns AFTER '
                             'UPDATE OF %s ON %s FOR EACH ROW WHEN (false) EXECUTE FUNCTION sessiondb.note_change();\n'
                            '    COMMENT ON TRIGGER zzz_sessiondb_save_columns ON %s IS ''Keeps the types of these columns while '
                            'sessiondb saves or restores links'';\n',
                            array_to_string(array_append($3, 'session_id'), ', '), $2, $2) END,
           -- not of a domain, whose CHECK would be evaluated here
           (SELECT string_agg(format('%s::%s', c.name, ({base_type(a.atttypid)})), ', ' ORDER BY c.place)
              FROM unnest($3) WITH ORDINALITY AS c (name, place)
              JOIN pg_attribute AS a ON a.attrelid = to_regclass($2) AND quote_ident(a.attname) = c.name AND NOT a.attisdropped),
           $2,
           format('The keys of rows of %s that were written while links are saved or restored', $2),
           CASE WHEN current_setting('sessiondb.citus', true) = 'distributed'
                THEN format(E'PERFORM pg_catalog.create_distributed_table(%L, ''user_id'', colocate_with => %L);\n        ',
                            'sessiondb.changed_rows_of_' || $1, $2) END,
           concat_ws(', ', quote_literal($1), quote_literal($4),
                     (SELECT string_agg(quote_literal((parse_ident(c.name))[1]), ', ' ORDER BY c.place)
                      FROM unnest($3) WITH ORDINALITY AS c (name, place))),
           -- logical replication writes, too
           CASE WHEN current_setting('sessiondb.citus', true) IS DISTINCT FROM 'distributed'
                THEN format(E'ALTER TABLE %s ENABLE ALWAYS TRIGGER zzz_sessiondb_save;\n    ', $2) END,
           CASE WHEN $4 = 'rollback' AND current_setting('sessiondb.citus', true) IS DISTINCT FROM 'distributed'
                THEN format('sessiondb.table_not_noted(%L::pg_catalog.regclass) IS NOT NULL', $2) ELSE 'false' END,
           -- the table of saved links was dropped since, and the key is another one
           CASE WHEN EXISTS (
                    SELECT FROM pg_attribute AS a
                     WHERE a.attrelid = to_regclass('sessiondb.changed_rows_of_' || $1) AND a.attnum > 0 AND quote_ident(a.attname) <> ALL ($3))
                THEN format(E'DROP TABLE IF EXISTS %s;\n    ', 'sessiondb.changed_rows_of_' || $1) END,
           -- what is saved is nowhere else
           EXISTS (
                SELECT FROM pg_trigger AS t
                 WHERE t.tgrelid = to_regclass($2) AND t.tgname = 'zzz_sessiondb_save' AND pg_get_triggerdef(t.oid) LIKE '%, ''apply'', %'),
           format('it is not known which rows of table %s were written since an apply began to restore their links: triggers were '
                  'disabled, a partition attached or a column renamed', $2),
           format('If none of these rows has left its session, DROP TRIGGER zzz_sessiondb_save ON %s; else give up the saved '
                  'links, DROP TABLE %s; then run rollback again.',
                  $2, 'sessiondb.saved_links_of_' || $1)))
