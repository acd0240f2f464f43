-- The statement, as text, that has each row of table $1, named $2, noted that is written from now on: those that create
-- the table for its columns $3 (text[], quoted), with the types of those of the saved links, and the trigger, which runs for each writer,
-- during a rollback or an apply, $4.
SELECT format('DO %L', format(
           E'BEGIN\n'
           '    CALL sessiondb.lock_tables(''SHARE ROW EXCLUSIVE'', ARRAY[%4$L]::pg_catalog.regclass[]);\n'
           '    IF pg_catalog.to_regclass(%1$L) IS NULL THEN\n'
           '        CREATE TABLE %1$s AS SELECT %2$s FROM %3$s WITH NO DATA;\n'
           -- it has no key, and may be part of a publication
           '        ALTER TABLE %1$s REPLICA IDENTITY FULL;\n'
           '        COMMENT ON TABLE %1$s IS %5$L;\n'
           '        %6$sCALL sessiondb.secure_schema();\n'
           '    END IF;\n'
           -- the column without its row: else one that was renamed would be a call of a function
           '    PERFORM session_id FROM %4$s LIMIT 0;\n'
           '    CREATE OR REPLACE TRIGGER zzz_sessiondb_save AFTER INSERT OR UPDATE OR DELETE ON %4$s FOR EACH ROW EXECUTE FUNCTION sessiondb.note_change(%7$s);\n'
           '    %8$s'
           -- of the transaction that creates the trigger, until that is disabled: see step drop_column
           'COMMENT ON TRIGGER zzz_sessiondb_save ON %4$s IS ''Notes what is written while sessiondb saves or restores links'';\n'
           'END',
           'sessiondb.changed_rows_of_' || $1, array_to_string($3, ', '), 'sessiondb.saved_links_of_' || $1, $2,
           format('The keys of rows of %s that were written while links are saved or restored', $2),
           CASE WHEN current_setting('sessiondb.citus', true) = 'distributed'
                THEN format(E'PERFORM pg_catalog.create_distributed_table(%L, ''user_id'', colocate_with => %L);\n        ', 'sessiondb.changed_rows_of_' || $1, $2) END,
           concat_ws(', ', quote_literal($1), quote_literal($4), (SELECT string_agg(quote_literal((parse_ident(c.name))[1]), ', ' ORDER BY c.place) FROM unnest($3) WITH ORDINALITY AS c (name, place))),
           -- logical replication writes, too
           CASE WHEN current_setting('sessiondb.citus', true) IS DISTINCT FROM 'distributed'
                THEN format(E'ALTER TABLE %s ENABLE ALWAYS TRIGGER zzz_sessiondb_save;\n    ', $2) END))
