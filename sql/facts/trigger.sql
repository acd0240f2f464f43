-- Of a trigger on a table of the platform: when it fires, and the function that it calls.
-- WITH: platform (queries/facts.sql)
SELECT jsonb_build_object(
           'type', t.tgtype, 'function', n.nspname || '.' || p.proname, 'arguments', encode(t.tgargs, 'escape'),
           'columns', (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute AS a
                        WHERE a.attrelid = c.oid AND a.attnum = ANY (t.tgattr)),
           'when', substring(pg_get_triggerdef(t.oid, true), E'WHEN \\((.*)\\) EXECUTE FUNCTION')),
       'pg_trigger'::regclass, t.oid, 0
  FROM platform AS c
  JOIN pg_trigger AS t ON t.tgrelid = c.oid AND t.tgname = w.name AND NOT t.tgisinternal
  JOIN pg_proc AS p ON p.oid = t.tgfoid
  JOIN pg_namespace AS n ON n.oid = p.pronamespace
 WHERE w.kind = 'trigger' AND c.relname = w.parent
