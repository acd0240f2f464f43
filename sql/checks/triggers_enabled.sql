-- Our triggers are enabled. A trigger with such a name but a function of another role is not ours.
SELECT 'triggers_enabled' AS "check",
       'error' AS level,
       format('trigger %s on %s', t.tgname, c.relname) AS object,
       format('Trigger %s on table %I.%I %s.', t.tgname, n.nspname, c.relname,
              CASE t.tgenabled WHEN 'D' THEN 'is disabled' ELSE 'fires only for replicated changes' END) AS detail,
       format('ALTER TABLE %I.%I ENABLE TRIGGER %I', n.nspname, c.relname, t.tgname) AS fix
  FROM pg_trigger AS t
  JOIN pg_class AS c ON c.oid = t.tgrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_proc AS p ON p.oid = t.tgfoid AND p.pronamespace = to_regnamespace('sessiondb')
 WHERE starts_with(t.tgname, 'zzz_sessiondb_')
   AND t.tgenabled IN ('D', 'R')
   AND NOT t.tgisinternal
 ORDER BY n.nspname, c.relname, t.tgname
