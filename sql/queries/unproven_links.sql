-- The tables whose session_id already existed, without a validated foreign key, so that links may lead to deleted sessions.
SELECT c.relname::text
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'session_id' AND NOT a.attisdropped
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND c.relname IN ('enrollments', 'submissions')
   AND NOT EXISTS (
        SELECT FROM pg_constraint AS k
         WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.convalidated
           AND k.conkey = ARRAY[a.attnum])
 ORDER BY c.relname
