-- What a rollback drops and something of the platform can depend on, as pg_depend names it: functions, tables of
-- schema sessiondb and their indexes, the schema, columns, indexes. The setting sessiondb.undone holds the numbers of the migrations to be undone.
WITH undone AS (
    SELECT string_to_array(current_setting('sessiondb.undone'), ',') AS migrations, n.oid AS namespace
      FROM pg_namespace AS n
     WHERE n.nspname = current_setting('sessiondb.schema')
)
SELECT 'pg_proc'::regclass::oid AS classid, p.oid AS objid, 0 AS objsubid
  FROM undone AS u
  JOIN sessiondb.objects AS o ON o.kind = 'function' AND o.migration = ANY (u.migrations)
  JOIN pg_namespace AS n ON n.nspname = CASE o.parent WHEN 'platform' THEN current_setting('sessiondb.schema') ELSE o.parent END
  JOIN pg_proc AS p ON p.pronamespace = n.oid AND p.proname = o.name AND oidvectortypes(p.proargtypes) = o.arguments
 -- not dropped if a function of the platform is restored in its place
 WHERE o.previous_definition IS NULL OR o.previous_definition ~ '^DROP FUNCTION'
UNION ALL
SELECT 'pg_class'::regclass, c.oid, 0
  FROM undone AS u
  JOIN ({objects}) AS o (kind, parent, name, arguments, migration, found_migration, sha256) ON o.kind = 'table' AND o.migration = ANY (u.migrations)
  JOIN pg_class AS c ON c.relnamespace = to_regnamespace('sessiondb') AND c.relname = o.name
UNION ALL
SELECT 'pg_class'::regclass, a.attrelid, a.attnum
  FROM undone AS u
  JOIN sessiondb.objects AS o ON o.kind = 'column' AND o.origin = 'created' AND o.migration = ANY (u.migrations)
  JOIN pg_class AS c ON c.relnamespace = u.namespace AND c.relname = o.parent
 CROSS JOIN LATERAL ({with_partitions(c.oid)}) AS node
  JOIN pg_attribute AS a ON a.attrelid = node.relid AND a.attname = o.name AND NOT a.attisdropped
UNION ALL
SELECT 'pg_class'::regclass, node.relid, 0
  FROM undone AS u
  JOIN sessiondb.objects AS o ON o.kind = 'index' AND o.origin = 'created' AND o.migration = ANY (u.migrations)
  JOIN pg_class AS c ON c.relnamespace = u.namespace AND c.relname = o.name
 CROSS JOIN LATERAL ({with_partitions(c.oid)}) AS node
UNION ALL
SELECT 'pg_class'::regclass, x.indexrelid, 0
  FROM undone AS u
  JOIN ({objects}) AS o (kind, parent, name, arguments, migration, found_migration, sha256) ON o.kind = 'table' AND o.migration = ANY (u.migrations)
  JOIN pg_class AS c ON c.relnamespace = to_regnamespace('sessiondb') AND c.relname = o.name
  JOIN pg_index AS x ON x.indrelid = c.oid
UNION ALL
SELECT 'pg_namespace'::regclass, to_regnamespace('sessiondb'), 0 FROM undone AS u WHERE '0001' = ANY (u.migrations)
