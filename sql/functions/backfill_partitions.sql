CREATE OR REPLACE FUNCTION sessiondb.backfill_partitions()
RETURNS TABLE (table_name name, partition regclass, blocks bigint)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The tables or partitions that a backfill processes, in order, with their numbers of pages: enrolments first, because
 * submissions follow them.
 */
SELECT t.table_name, c.oid::regclass, pg_relation_size(c.oid) / current_setting('block_size')::integer
  FROM sessiondb.installation AS i
 CROSS JOIN (VALUES (1, 'enrollments'::name), (2, 'submissions')) AS t (turn, table_name)
 CROSS JOIN LATERAL (SELECT to_regclass(format('%I.%I', i.platform_schema, t.table_name)) AS relid) AS root
 CROSS JOIN LATERAL ({with_partitions(root.relid)}) AS leaf
  JOIN pg_class AS c ON c.oid = leaf.relid AND c.relkind = 'r'
 ORDER BY t.turn, c.oid
$function$
