CREATE OR REPLACE FUNCTION sessiondb.triggers_that_fire()
RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The triggers of the platform that a backfill fires, because linking is an UPDATE of each row: they may write updated_at,
 * or refuse the change. On a partitioned table, those of the partitions fire.
 */
SELECT format('Linking a row of %s fires the platform''s triggers on UPDATE: %s.',
              b.table_name, string_agg(DISTINCT quote_ident(t.tgname), ', '))
  FROM sessiondb.backfill_partitions() AS b
  JOIN pg_attribute AS a ON a.attrelid = b.partition AND a.attname = 'session_id'
  JOIN pg_trigger AS t ON t.tgrelid = a.attrelid
  JOIN pg_proc AS f ON f.oid = t.tgfoid AND f.pronamespace IS DISTINCT FROM to_regnamespace('sessiondb')
 -- before PostgreSQL 15, those of partitions count as internal; those of a constraint have one
 WHERE (NOT t.tgisinternal OR t.tgparentid <> 0 AND t.tgconstraint = 0)
   AND t.tgenabled IN ('O', 'A')
   AND t.tgtype & 16 > 0
   AND (a.attnum = ANY (t.tgattr) OR cardinality(t.tgattr::smallint[]) = 0)
 GROUP BY b.table_name
$function$
