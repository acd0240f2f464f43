-- The statement that keeps the saved links of table $1 up to date until they are restored; none if nothing is saved. A trigger saves that a
-- row leaves the session that it was given since, so that no later statement of an apply gives it the one before: of an apply that
-- is interrupted, or of one that continues a rollback which was interrupted before the column was dropped, and left this trigger.
SELECT format('DO %L', format(
           E'BEGIN\n'
           '    CALL sessiondb.lock_tables(''SHARE ROW EXCLUSIVE'', ARRAY[%1$L]::pg_catalog.regclass[]);\n'
           -- the columns without their row: one that was renamed would else be a call of a function in the trigger
           '    PERFORM %3$s FROM %1$s LIMIT 0;\n'
           '    %2$s;\n'
           'END',
           h.name, ({save_trigger($1, h.name, NULL::text[], true)}),
           (SELECT string_agg(quote_ident(a.attname), ', ')
              FROM pg_constraint AS k
              JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND (a.attnum = ANY (k.conkey) OR a.attname = 'session_id')
             WHERE k.conrelid = to_regclass(format('sessiondb.%I', 'saved_links_of_' || $1)) AND k.contype = 'p'))) AS statement,
       json_build_object($1, 'SHARE ROW EXCLUSIVE') AS locks, NULL::name AS scans
  FROM (SELECT format('%I.%I', current_setting('sessiondb.schema'), $1) AS name) AS h
 WHERE to_regclass(h.name) IS NOT NULL
   AND to_regclass(format('sessiondb.%I', 'saved_links_of_' || $1)) IS NOT NULL
   -- no rollback would drop the trigger from a column of the platform's, which lacks our comment
   AND NOT EXISTS (
        SELECT FROM pg_attribute AS a
         WHERE a.attrelid = to_regclass(h.name) AND a.attname = 'session_id' AND NOT a.attisdropped
           AND coalesce(col_description(a.attrelid, a.attnum) NOT LIKE 'The training session %(sessiondb)', true))
   -- that of a rollback also fires for INSERT; a column of the saved links may have been dropped since
   AND NOT EXISTS (
        SELECT FROM pg_trigger AS t
         WHERE t.tgrelid = to_regclass(h.name) AND t.tgname = 'zzz_sessiondb_save' AND t.tgtype & 4 = 0
           AND t.tgnargs = 2 + (
                SELECT count(*) FROM pg_attribute AS a
                 WHERE a.attrelid = to_regclass(format('sessiondb.%I', 'saved_links_of_' || $1)) AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'session_id'))
