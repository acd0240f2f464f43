CREATE OR REPLACE FUNCTION sessiondb.drop_index_statements(p_name name, p_table name)
RETURNS SETOF text
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The statements that drop an index of ours, each to be run by itself, outside a transaction; none
 * for an index that was found in the platform. An index on a partitioned table cannot be dropped
 * concurrently; dropping it takes those of the partitions along. Those that an apply has not come to
 * attach, which have the names that index_statements() gives, are dropped by themselves.
 */
SELECT CASE c.relkind
           WHEN 'i' THEN format('DROP INDEX CONCURRENTLY %I.%I', n.nspname, c.relname)
           ELSE format('DO %L', format('BEGIN CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', %L); DROP INDEX %I.%I; END',
                                       t.oid::regclass, n.nspname, c.relname))
       END
  FROM sessiondb.installation AS i
  JOIN pg_namespace AS h ON h.nspname = i.platform_schema
  JOIN pg_class AS root ON root.relnamespace = h.oid AND root.relname = p_table
 CROSS JOIN LATERAL (
        SELECT root.oid AS relid, 0 AS level
        UNION
        SELECT p.relid, p.level FROM pg_partition_tree(root.oid) AS p
       ) AS node
  JOIN pg_class AS t ON t.oid = node.relid
  JOIN pg_index AS x ON x.indrelid = t.oid
  JOIN pg_class AS c ON c.oid = x.indexrelid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE sessiondb.is_ours('index', p_table, p_name)
   AND c.relname = CASE node.level
                       WHEN 0 THEN p_name
                       ELSE format('%s_%s_idx', left(t.relname, 48), left(md5(p_name || t.relname), 8))
                   END
   AND NOT EXISTS (SELECT FROM pg_inherits AS a WHERE a.inhrelid = x.indexrelid)
 ORDER BY node.level, t.relname
$function$;

COMMENT ON FUNCTION sessiondb.drop_index_statements(name, name) IS
    'The statements that drop an index of ours';

REVOKE ALL ON FUNCTION sessiondb.drop_index_statements(name, name) FROM PUBLIC;
