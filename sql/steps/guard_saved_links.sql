-- The statement that has rows of table $1 noted that are written from now on, until their saved links are restored; none if nothing is
-- saved. One that has been given a session since gets no saved link: no later statement of an apply then gives a row that leaves it,
-- also to another partition, the one before, nor a row that gets its key by an UPDATE. The apply may be interrupted, or continue a
-- rollback that was interrupted before the column was dropped, and left a trigger.
SELECT w.statement,
       json_build_object($1, 'SHARE ROW EXCLUSIVE') AS locks, NULL::name AS scans
  FROM (SELECT format('%I.%I', current_setting('sessiondb.schema'), $1) AS name, to_regclass('sessiondb.saved_links_of_' || $1) AS saved) AS h
 CROSS JOIN LATERAL (
        SELECT array_agg(quote_ident(a.attname) ORDER BY a.attnum) AS columns
          FROM pg_constraint AS k
          JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND (a.attnum = ANY (k.conkey) OR a.attname = 'user_id')
         WHERE k.conrelid = h.saved AND k.contype = 'p'
       ) AS key
 CROSS JOIN LATERAL (SELECT ({note_changes($1, h.name, key.columns, 'apply')}) AS statement) AS w
 WHERE h.saved IS NOT NULL AND to_regclass(h.name) IS NOT NULL
   -- no rollback would drop the trigger from a column of the platform's, which has no trigger of ours yet
   AND NOT EXISTS (
        SELECT FROM pg_attribute AS a
         WHERE a.attrelid = to_regclass(h.name) AND a.attname = 'session_id' AND NOT a.attisdropped
           AND coalesce(col_description(a.attrelid, a.attnum) NOT LIKE 'The training session %(sessiondb)', true)
           AND NOT EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = a.attrelid AND t.tgfoid = to_regprocedure('sessiondb.check_session()')))
   AND NOT (to_regclass('sessiondb.changed_rows_of_' || $1) IS NOT NULL
            AND EXISTS (
                SELECT FROM pg_trigger AS t
                 WHERE t.tgrelid = to_regclass(h.name) AND t.tgname = 'zzz_sessiondb_save' AND t.tgfoid = to_regprocedure('sessiondb.note_change()')))
