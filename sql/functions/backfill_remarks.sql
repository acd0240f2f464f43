CREATE OR REPLACE FUNCTION sessiondb.backfill_remarks(p_session_id uuid)
RETURNS SETOF text
LANGUAGE sql STABLE
SET search_path FROM CURRENT
AS $function$
/*
 * What to know before a backfill, of this session or of all (NULL): that nothing is linked to a session that is not
 * active, and which triggers of the platform fire, since linking is an UPDATE of each row: they may write updated_at,
 * or refuse it. On a partitioned table those of the partitions fire.
 */
SELECT pg_catalog.format('Session %s is %s, and only active ones are chosen: nothing will be linked to it.', s.id, s.status)
  FROM sessions AS s
 WHERE s.id = p_session_id
   AND NOT s.status OPERATOR(pg_catalog.=) 'active'
UNION ALL
SELECT pg_catalog.format('Linking a row of %s fires the platform''s triggers on UPDATE: %s.',
                         b.table_name, pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(t.tgname), ', '))
  FROM sessiondb.backfill_partitions() AS b
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = b.partition::oid AND a.attname = 'session_id'
  JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = a.attrelid
 WHERE NOT t.tgisinternal
   AND NOT pg_catalog.starts_with(t.tgname::text, 'zzz_sessiondb_')
   AND t.tgenabled IN ('O', 'A')
   AND t.tgtype & 16::smallint > 0::smallint
   AND (a.attnum = ANY (t.tgattr) OR pg_catalog.cardinality(t.tgattr::smallint[]) = 0)
 GROUP BY b.table_name
$function$
