-- Of a constraint of a table of the platform: a foreign key, its columns and what it does.
-- WITH: platform (queries/facts.sql)
SELECT jsonb_build_object(
           'type', k.contype, 'refers to', r.relname, 'on delete', k.confdeltype, 'validated', k.convalidated,
           'columns', (SELECT array_agg(a.attname ORDER BY u.place)
                         FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, place)
                         JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = u.attnum)),
       'pg_constraint'::regclass, k.oid, 0
  FROM platform AS c
  JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.conname = w.name
  LEFT JOIN pg_class AS r ON r.oid = k.confrelid
 WHERE w.kind = 'constraint' AND c.relname = w.parent
