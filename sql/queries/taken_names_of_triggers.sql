-- Triggers of the platform that have a name of ours.
-- WITH: platform (preflight/names.sql)
SELECT format('trigger %s on %s', t.tgname, c.relname),
       format('A trigger of the platform has the name of a trigger of sessiondb, %I.', t.tgname),
       format('Give it another name: ALTER TRIGGER %I ON %s RENAME TO %I',
              t.tgname, c.oid::regclass, left('old_' || t.tgname, 63))
  FROM platform AS h
  JOIN pg_class AS root ON root.relnamespace = h.oid AND root.relname IN ('enrollments', 'submissions')
 CROSS JOIN LATERAL ({with_partitions(root.oid)}) AS node
  JOIN pg_class AS c ON c.oid = node.relid
  JOIN pg_trigger AS t ON t.tgrelid = c.oid AND t.tgparentid = 0
                      AND (t.tgname IN ('zzz_sessiondb_save', 'zzz_sessiondb_save_columns')
                           OR ('trigger', root.relname::text, t.tgname::text) IN ({names}))
  JOIN pg_proc AS p ON p.oid = t.tgfoid
 WHERE p.pronamespace IS DISTINCT FROM to_regnamespace('sessiondb')
