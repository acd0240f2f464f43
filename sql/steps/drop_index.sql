-- The statements that drop index $1 of table $2, each to be run by itself, outside a transaction; none for an index
-- of the platform. An index on a partitioned table cannot be dropped concurrently; dropping it also drops those of the
-- partitions. Those that an interrupted apply has not attached are dropped by themselves.
SELECT CASE WHEN p.isleaf THEN format('DROP INDEX CONCURRENTLY IF EXISTS %I.%I', p.schema_name, p.index_name)
            ELSE format('DO %L', format('BEGIN CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', '
                                        'ARRAY[%L]::pg_catalog.regclass[]); DROP INDEX %I.%I; END',
                                        format('%I.%I', p.schema_name, p.table_name), p.schema_name, p.index_name))
       END AS statement,
       json_build_object(p.table_name, CASE WHEN p.isleaf THEN 'SHARE UPDATE EXCLUSIVE' ELSE 'ACCESS EXCLUSIVE' END) AS locks,
       NULL::name AS scans
  FROM ({index_places($1, $2, NULL, NULL)}) AS p
 WHERE p.index_oid IS NOT NULL
   AND NOT p.is_attached
   AND EXISTS (SELECT FROM sessiondb.objects AS o WHERE o.kind = 'index' AND o.parent = $2 AND o.name = $1 AND o.origin = 'created')
 ORDER BY p.level, p.table_name
