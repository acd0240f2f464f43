-- Of a table of schema sessiondb: its columns with their types.
SELECT jsonb_build_object('columns', (
           SELECT jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod))
             FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)),
       NULL::oid, NULL::oid, 0
  FROM pg_class AS c
 WHERE w.kind = 'table' AND c.relname = w.name AND c.relkind = 'r'
   AND c.relnamespace = (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = 'sessiondb')
