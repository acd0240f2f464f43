-- Our triggers are enabled. A trigger with such a name but a function of another role is not ours.
SELECT 'triggers_enabled' AS "check",
       'error' AS level,
       format('trigger %s on %s', t.tgname, c.relname) AS object,
       format('Trigger %s on table %s %s.', t.tgname, c.oid::regclass,
              CASE t.tgenabled WHEN 'D' THEN 'is disabled' ELSE 'fires only for replicated changes' END) AS detail,
       format('ALTER TABLE %s ENABLE TRIGGER %I', c.oid::regclass, t.tgname) AS fix
  FROM pg_trigger AS t
  JOIN pg_class AS c ON c.oid = t.tgrelid
  JOIN pg_proc AS p ON p.oid = t.tgfoid AND p.pronamespace = to_regnamespace('sessiondb')
 WHERE starts_with(t.tgname, 'zzz_sessiondb_')
   AND t.tgenabled IN ('D', 'R')
   AND NOT t.tgisinternal
 ORDER BY fix
