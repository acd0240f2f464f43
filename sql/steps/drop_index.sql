-- The statements that drop index $1 of table $2, each to be run by itself, outside a transaction; none for an index
-- of the platform. An index on a partitioned table cannot be dropped concurrently; dropping it also drops those of the
-- partitions. Those that an interrupted apply has not attached, which have the names that step index gives, are dropped
-- by themselves.
SELECT CASE c.relkind
           WHEN 'i' THEN format('DROP INDEX CONCURRENTLY %I.%I', n.nspname, c.relname)
           ELSE format('DO %L', format('BEGIN CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', %L); DROP INDEX %I.%I; END',
                                       t.oid::regclass, n.nspname, c.relname))
       END AS statement,
       json_build_object(t.relname, CASE c.relkind WHEN 'i' THEN 'SHARE UPDATE EXCLUSIVE' ELSE 'ACCESS EXCLUSIVE' END) AS locks,
       NULL::name AS scans
  FROM pg_namespace AS h
  JOIN pg_class AS root ON root.relnamespace = h.oid AND root.relname = $2
 CROSS JOIN LATERAL (
        SELECT root.oid AS relid, 0 AS level
        UNION
        SELECT p.relid, p.level FROM pg_partition_tree(root.oid) AS p
       ) AS node
  JOIN pg_class AS t ON t.oid = node.relid
  JOIN pg_index AS x ON x.indrelid = t.oid
  JOIN pg_class AS c ON c.oid = x.indexrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE h.nspname = current_setting('sessiondb.schema')
   AND EXISTS (SELECT FROM sessiondb.objects AS o WHERE o.kind = 'index' AND o.parent = $2 AND o.name = $1 AND o.origin = 'created')
   AND c.relname = CASE node.level
                       WHEN 0 THEN $1::name
                       ELSE format('%s_%s_idx', left(t.relname, CASE WHEN octet_length(left(t.relname, 48)) <= 50 THEN 48 ELSE 12 END), left(md5($1::text || t.relname), 8))
                   END
   AND NOT EXISTS (SELECT FROM pg_inherits AS a WHERE a.inhrelid = x.indexrelid)
 ORDER BY node.level, t.relname
