-- The statement, as text, for restore_pages that discards the saved links of rows of table $1 that were noted, because these have been given a
-- session since, and may have left it; $2 and $3 as in restore_pages. An error if a rollback did not note all of them.
SELECT format($notes$BEGIN
    IF pg_catalog.to_regclass(%1$L) IS NOT NULL THEN
        IF EXISTS (SELECT FROM %1$s AS t WHERE %4$s) OR %5$s THEN
            RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = %6$L, HINT = %7$L;
        END IF;
        WITH t AS (DELETE FROM %1$s RETURNING *)
        DELETE FROM %2$s AS r USING t WHERE %3$s;
    END IF;
END$notes$,
           'sessiondb.changed_rows_of_' || $1, $2.name, $2.is_noted, $2.is_noted_without_key,
           format('sessiondb.table_not_noted(%L::pg_catalog.regclass) IS NOT NULL', $3.name),
           format('it is not known which rows of table %s were written since a rollback saved their links: triggers were '
                  'disabled, a partition attached or a column renamed', $3.name),
           CASE WHEN EXISTS (
                    SELECT FROM pg_trigger AS t
                     WHERE t.tgrelid = $3.oid AND t.tgname = 'zzz_sessiondb_save' AND pg_get_triggerdef(t.oid) LIKE '%, ''rollback'', %')
                THEN 'Save all links again, then apply: sessiondb rollback --to 0004. If that is refused, because the table has '
                     'another key by now: if'
                ELSE 'If' END
           || format(' none of these rows has left its session, DROP TRIGGER zzz_sessiondb_save ON %s; else give up the saved '
                     'links, DROP TABLE %s; then run apply again.',
                     $3.name, $2.name))
