-- The statement that keeps the saved links of table $1 up to date until they are restored; none if nothing is saved. A trigger forgets
-- those of rows that have been given a session since: no later statement of an apply then gives a row that leaves it, also to another
-- partition, the one before, nor a row that gets its key by an UPDATE. The apply may be interrupted, or continue a rollback that was interrupted
-- before the column was dropped, and left a trigger.
SELECT format('DO %L', format(
           E'BEGIN\n'
           '    CALL sessiondb.lock_tables(''SHARE ROW EXCLUSIVE'', ARRAY[%1$L]::pg_catalog.regclass[]);\n'
           -- the column without its row: if it was renamed, the condition of the trigger would else be a call of a function
           '    PERFORM session_id FROM %1$s LIMIT 0;\n'
           '    %2$s;\n'
           'END',
           h.name, ({save_trigger($1, h.name, NULL::text[], true)}))) AS statement,
       json_build_object($1, 'SHARE ROW EXCLUSIVE') AS locks, NULL::name AS scans
  FROM (SELECT format('%I.%I', current_setting('sessiondb.schema'), $1) AS name) AS h
 WHERE to_regclass(h.name) IS NOT NULL
   AND to_regclass(format('sessiondb.%I', 'saved_links_of_' || $1)) IS NOT NULL
   -- no rollback would drop the trigger from a column of the platform's, which lacks our comment
   AND NOT EXISTS (
        SELECT FROM pg_attribute AS a
         WHERE a.attrelid = to_regclass(h.name) AND a.attname = 'session_id' AND NOT a.attisdropped
           AND coalesce(col_description(a.attrelid, a.attnum) NOT LIKE 'The training session %(sessiondb)', true))
   -- a column of the saved links may have been dropped since it was created
   AND NOT EXISTS (
        SELECT FROM pg_trigger AS t
         WHERE t.tgrelid = to_regclass(h.name) AND t.tgname = 'zzz_sessiondb_save' AND t.tgfoid = to_regprocedure('sessiondb.forget_link()')
           AND t.tgnargs = 2 + (
                SELECT count(*) FROM pg_attribute AS a
                 WHERE a.attrelid = to_regclass(format('sessiondb.%I', 'saved_links_of_' || $1)) AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'session_id'))
