-- The tables of the host's schema with their estimated rows, unknown before the first ANALYZE or VACUUM,
-- and their size on disk in bytes, partitions added up.
SELECT c.relname::text,
       CASE WHEN min(l.reltuples) >= 0 THEN sum(l.reltuples)::bigint END,
       sum(pg_catalog.pg_table_size(l.oid))::bigint
  FROM pg_catalog.pg_namespace AS n
  JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
 CROSS JOIN LATERAL (
        SELECT c.oid WHERE c.relkind = 'r'
        UNION ALL
        SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) AS t WHERE c.relkind = 'p' AND t.isleaf
       ) AS leaf (oid)
  JOIN pg_catalog.pg_class AS l ON l.oid = leaf.oid
 WHERE n.nspname = pg_catalog.current_setting('sessiondb.schema')
 GROUP BY c.relname
