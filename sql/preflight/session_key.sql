-- A foreign key needs sessions.id to be unique, and sessions to be as permanent as the table that refers to it.
WITH session AS (
    SELECT c.oid, c.relkind, c.relpersistence, n.oid AS namespace, format('%I.sessions', n.nspname) AS name
      FROM pg_namespace AS n
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'sessions' AND c.relkind IN ('r', 'p')
     WHERE n.nspname = current_setting('sessiondb.schema')
)
SELECT 'session_key' AS "check", 'error' AS level, s.name AS object,
       format('Column id of table %s is neither the primary key nor unique.', s.name) AS detail,
       CASE
           WHEN s.relkind = 'p' THEN
               'Make it unique, for which sessions must be partitioned by id alone, or not at all.'
           WHEN EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = s.oid AND i.indisprimary) THEN
               format('Make it unique: CREATE UNIQUE INDEX CONCURRENTLY ON %s (id)', s.name)
           ELSE format('Make it the key: ALTER TABLE %s ADD PRIMARY KEY (id)', s.name)
       END AS fix
  FROM session AS s
  JOIN pg_attribute AS a ON a.attrelid = s.oid AND a.attname = 'id' AND NOT a.attisdropped
 WHERE NOT EXISTS (
        SELECT FROM pg_index AS i
         WHERE i.indrelid = s.oid
           AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
           AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)
UNION ALL
SELECT 'session_key', 'error', s.name,
       format('Table %s is unlogged, and %s, which is to refer to it, is not.', s.name, c.relname),
       format('Make it logged, which rewrites it under ACCESS EXCLUSIVE: ALTER TABLE %s SET LOGGED', s.name)
  FROM session AS s
  JOIN pg_class AS c ON c.relnamespace = s.namespace AND c.relname IN ('enrollments', 'submissions') AND c.relkind IN ('r', 'p')
 WHERE s.relpersistence = 'u'
   AND c.relpersistence = 'p'
