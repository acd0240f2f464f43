-- The statement that has the trigger of an earlier version on table $1, where a rollback or an apply of that has stopped, call
-- note_change(): this version no longer has the function that it calls.
SELECT g.statement, g.locks, g.scans
  FROM (
{guard_saved_links($1)}
       ) AS g
 WHERE EXISTS (
        SELECT FROM pg_trigger AS t
         WHERE t.tgrelid = to_regclass(format('%I.%I', current_setting('sessiondb.schema'), $1)) AND t.tgname = 'zzz_sessiondb_save')
