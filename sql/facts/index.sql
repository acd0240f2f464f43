-- Of an index of a table of the platform: its columns and their order, and its predicate without casts.
-- WITH: platform (queries/facts.sql)
SELECT jsonb_build_object(
           'valid', d.indisvalid, 'unique', d.indisunique,
           'columns', (SELECT array_agg(pg_get_indexdef(d.indexrelid, u.place::integer, true) || '/' || u.options ORDER BY u.place)
                         FROM unnest(d.indoption) WITH ORDINALITY AS u (options, place)),
           'where', regexp_replace(pg_get_expr(d.indpred, d.indrelid), '::("[^"]*"|[a-z_. ])+|[() ]', '', 'g')),
       'pg_class'::regclass, x.oid, 0
  FROM platform AS c
  JOIN pg_index AS d ON d.indrelid = c.oid
  JOIN pg_class AS x ON x.oid = d.indexrelid AND x.relname = w.name
 WHERE w.kind = 'index' AND c.relname = w.parent
