CREATE OR REPLACE FUNCTION sessiondb.keep_batch(
    p_turn bigint, p_to_row tid, p_scanned bigint, p_linked bigint, p_skipped bigint, p_reasons jsonb
)
RETURNS TABLE (table_name name, scanned bigint, linked bigint, blocks_done bigint, blocks_total bigint)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Saves what link_batch() did with the pages of next_batch(), and returns the result of backfill_step(). backfill_users()
 * walks by users, and saves its position itself.
 */
UPDATE sessiondb.backfill_progress AS p
   SET position = jsonb_build_object('block', (string_to_array(btrim(p_to_row::text, '()'), ','))[1]::bigint),
       scanned = p.scanned + p_scanned, linked = p.linked + p_linked, skipped = p.skipped + p_skipped,
       reasons = p.reasons || coalesce((
           SELECT jsonb_object_agg(e.key, e.value::bigint + coalesce((p.reasons ->> e.key)::bigint, 0))
             FROM jsonb_each_text(p_reasons) AS e), '{}')
 WHERE p.turn = p_turn;

SELECT (SELECT p.table_name FROM sessiondb.backfill_progress AS p WHERE p.turn = p_turn), p_scanned, p_linked,
       sum(CASE WHEN p.finished_at IS NULL THEN coalesce((p.position ->> 'block')::bigint, 0) ELSE s.blocks END)::bigint,
       sum(s.blocks)::bigint
  FROM sessiondb.backfill_progress AS p
 CROSS JOIN LATERAL (SELECT pg_relation_size(p.partition) / current_setting('block_size')::integer AS blocks) AS s
$function$
