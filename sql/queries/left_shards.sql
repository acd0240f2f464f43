-- What a moved shard of Citus leaves where it was, until Citus drops it: its triggers need the functions that a rollback
-- drops. Asked only where the tables are distributed.
SELECT 'left_shards' AS "check", 'error' AS level, min(c.object_name) AS object,
       format('Citus has not dropped yet what shards that were moved left behind (%s), whose triggers need functions that a rollback drops.',
              count(*)) AS detail,
       'Wait until Citus has done it, or do it yourself: CALL citus_cleanup_orphaned_resources()' AS fix
  FROM pg_dist_cleanup AS c
 WHERE c.object_type = 1
   AND c.node_group_id IN (SELECT n.groupid FROM pg_dist_node AS n)  -- a node that was removed keeps its records
HAVING count(*) > 0
