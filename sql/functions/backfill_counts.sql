CREATE OR REPLACE FUNCTION sessiondb.backfill_counts()
RETURNS TABLE (table_name name, scanned bigint, linked bigint, unlinkable bigint, reasons jsonb, as_of timestamptz)
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The counts of the last backfill by table, over all its runs: the rows without a session that it has read, those that
 * it linked, and those that it cannot link, by reason. When it is finished, everything that was linkable at the time
 * as_of is linked.
 */
SELECT t.table_name, t.scanned, t.linked, u.unlinkable, u.reasons, t.as_of
  FROM (
        SELECT k.turn, k.table_name, coalesce(sum(p.scanned), 0)::bigint AS scanned,
               coalesce(sum(p.linked), 0)::bigint AS linked, min(p.started_at) AS as_of
          FROM (VALUES (1, 'enrollments'::name), (2, 'submissions')) AS k (turn, table_name)
          LEFT JOIN sessiondb.backfill_progress AS p ON p.table_name = k.table_name
         GROUP BY k.turn, k.table_name
       ) AS t
 CROSS JOIN LATERAL (
        SELECT coalesce(sum(r.rows), 0)::bigint AS unlinkable,
               coalesce(jsonb_object_agg(r.reason, r.rows), '{}') AS reasons
          FROM (
                SELECT e.key AS reason, sum(e.value::bigint)::bigint AS rows
                  FROM sessiondb.backfill_progress AS p
                 CROSS JOIN LATERAL jsonb_each_text(p.reasons) AS e
                 WHERE p.table_name = t.table_name
                 GROUP BY e.key
               ) AS r
       ) AS u
 ORDER BY t.turn
$function$
