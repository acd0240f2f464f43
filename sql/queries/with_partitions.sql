-- The table $1 (an oid) and its partitions of every level.
SELECT $1 AS relid UNION SELECT t.relid FROM pg_partition_tree($1) AS t
