-- The statement, as text, for restore_pages that discards the saved links of rows of table $1 that were noted, because these have been given a
-- session since, and may have left it; $2 and $3 as in restore_pages. An error if a rollback did not note all of them.
SELECT format($notes$BEGIN
    IF pg_catalog.to_regclass(%1$L) IS NOT NULL THEN
        IF EXISTS (SELECT FROM %1$s AS t WHERE %4$s) OR %5$s THEN
            RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = %6$L, HINT = 'Save all links again, then apply: sessiondb rollback --to 0004';
        END IF;
        WITH t AS (DELETE FROM %1$s RETURNING *)
        DELETE FROM %2$s AS r USING t WHERE %3$s;
    END IF;
END$notes$,
           'sessiondb.changed_rows_of_' || $1, $2.name, $2.is_noted, $2.is_noted_without_key,
           CASE WHEN EXISTS (
                    SELECT FROM pg_trigger AS t
                     WHERE t.tgrelid = $3.oid AND t.tgname = 'zzz_sessiondb_save' AND pg_get_triggerdef(t.oid) LIKE '%, ''rollback'', %')
                THEN format('sessiondb.table_not_noted(%L::pg_catalog.regclass) IS NOT NULL', $3.name) ELSE 'false' END,
           format('it is not known which rows of table %s were written since a rollback saved their links', $3.name))
