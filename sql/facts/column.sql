-- Of a column of a table of the platform: its type, whether it is NOT NULL and has a default.
-- WITH: platform (queries/facts.sql)
SELECT jsonb_build_object('type', t.typname, 'not null', a.attnotnull, 'default', a.atthasdef),
       'pg_class'::regclass, c.oid, a.attnum
  FROM platform AS c
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = w.name AND NOT a.attisdropped
  JOIN pg_type AS t ON t.oid = a.atttypid
 WHERE w.kind = 'column' AND c.relname = w.parent
