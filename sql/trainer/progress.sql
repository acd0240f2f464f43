-- How far the backfill of a session is, if it was the last one; on Citus by the users, as in backfill_users().
SELECT count(*) > 0 AS is_known, coalesce(bool_and(p.finished_at IS NOT NULL), false) AS is_finished,
       coalesce(sum(p.linked), 0)::bigint AS linked,
       coalesce(sum(f.blocks), 0)::bigint AS blocks_total,
       -- citus: coalesce(sum(CASE WHEN p.finished_at IS NULL THEN ('x' || left(p.position ->> 'user_id', 4))::bit(16)::integer
       -- citus:                   ELSE f.blocks END), 0)::bigint AS blocks_done /*
       coalesce(sum(CASE WHEN p.finished_at IS NULL THEN least((p.position ->> 'block')::bigint, f.blocks) ELSE f.blocks END),
                0)::bigint AS blocks_done
       -- citus: */
  FROM sessiondb.backfill_progress AS p
 -- citus: CROSS JOIN (SELECT 65535 AS blocks) AS f /*
 CROSS JOIN LATERAL (SELECT pg_relation_size(p.partition) / current_setting('block_size')::integer AS blocks) AS f
 -- citus: */
 WHERE p.session_id = %(session)s
