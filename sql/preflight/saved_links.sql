-- The tables still have the columns by which a rollback saved their links: without one, they could not be restored.
SELECT 'saved_links' AS "check", 'error' AS level, format('%I.%I', n.nspname, c.relname) AS object,
       format('Table %I.%I has no column %I, by which a rollback saved its links.', n.nspname, c.relname, a.attname) AS detail,
       format(E'If it has another name, restore it: ALTER TABLE %I.%I RENAME COLUMN other TO %I\n'
              'If it is gone, give up the saved links: DROP TABLE %s', n.nspname, c.relname, a.attname, k.oid::regclass) AS fix
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname IN ('enrollments', 'submissions')
  JOIN pg_class AS k ON k.relnamespace = to_regnamespace('sessiondb') AND k.relname = 'saved_links_of_' || c.relname
  JOIN pg_attribute AS a ON a.attrelid = k.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'session_id'
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND NOT EXISTS (SELECT FROM pg_attribute AS o WHERE o.attrelid = c.oid AND o.attname = a.attname AND NOT o.attisdropped)
 ORDER BY object, detail
