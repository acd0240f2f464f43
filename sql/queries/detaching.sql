-- Partitions of the platform's tables whose DETACH ... CONCURRENTLY was interrupted: they are no longer written to, and get no column.
SELECT 'inheritance' AS "check", 'error' AS level, format('%s', i.inhrelid::regclass) AS object,
       format('Detaching partition %s from table %s was interrupted.', i.inhrelid::regclass, i.inhparent::regclass) AS detail,
       format('ALTER TABLE %s DETACH PARTITION %s FINALIZE', i.inhparent::regclass, i.inhrelid::regclass) AS fix
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname IN ('org_members', 'sessions', 'enrollments', 'submissions')
 CROSS JOIN LATERAL ({with_partitions(c.oid)}) AS node
  JOIN pg_inherits AS i ON i.inhparent = node.relid AND i.inhdetachpending
 WHERE n.nspname = current_setting('sessiondb.schema')
