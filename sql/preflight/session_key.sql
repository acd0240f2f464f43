-- A foreign key needs sessions.id to be unique.
SELECT 'session_key' AS "check", 'error' AS level,
       format('%I.sessions', n.nspname) AS object,
       format('Column id of table %I.sessions is neither the primary key nor unique.', n.nspname) AS detail,
       format('Make it the key: ALTER TABLE %I.sessions ADD PRIMARY KEY (id)', n.nspname) AS fix
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'sessions' AND c.relkind IN ('r', 'p')
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'id' AND NOT a.attisdropped
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND NOT EXISTS (
        SELECT FROM pg_index AS i
         WHERE i.indrelid = c.oid
           AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
           AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)
