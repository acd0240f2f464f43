-- How far the backfill of a session is, if it was the last one.
SELECT count(*) > 0 AS is_known, coalesce(bool_and(p.finished_at IS NOT NULL), false) AS is_finished,
       coalesce(sum(p.linked), 0)::bigint AS linked,
       coalesce(sum(f.blocks), 0)::bigint AS blocks_total,
       coalesce(sum(CASE WHEN p.finished_at IS NULL THEN least((p.position ->> 'block')::bigint, f.blocks) ELSE f.blocks END), 0)::bigint AS blocks_done
  FROM sessiondb.backfill_progress AS p
 CROSS JOIN LATERAL (SELECT pg_relation_size(p.partition) / current_setting('block_size')::integer AS blocks) AS f
 WHERE p.session_id = %(session)s
