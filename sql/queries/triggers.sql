-- Which of our triggers fire, on each partition, too. A trigger with such a name but a function of another role is not ours.
SELECT t.tgname::text, bool_and(o.tgenabled IN ('O', 'A')) AS is_enabled
  FROM pg_trigger AS t
  JOIN pg_class AS c ON c.oid = t.tgrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_proc AS p ON p.oid = t.tgfoid AND p.pronamespace = to_regnamespace('sessiondb')
 CROSS JOIN LATERAL ({with_partitions(t.tgrelid)}) AS node
  JOIN pg_trigger AS o ON o.tgrelid = node.relid AND o.tgname = t.tgname
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND t.tgparentid = 0
   AND starts_with(t.tgname, 'zzz_sessiondb_')
 GROUP BY t.tgname
