-- How far the backfill of a session is, if it was the last one, and whether a run works on the database now: it holds
-- sessiondb's advisory lock.
SELECT r.is_running, count(p.turn) > 0 AS is_known, coalesce(bool_and(p.finished_at IS NOT NULL), false) AS is_finished,
       coalesce(sum(p.linked), 0)::bigint AS linked,
       coalesce(sum(f.blocks), 0)::bigint AS blocks_total,
       coalesce(sum(CASE WHEN p.finished_at IS NULL THEN least((p.position ->> 'block')::bigint, f.blocks) ELSE f.blocks END), 0)::bigint AS blocks_done
  FROM (SELECT EXISTS (SELECT FROM pg_locks AS l
                        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
                          AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
                          AND (l.classid::bigint << 32 | l.objid::bigint) = %(key)s) AS is_running) AS r
  LEFT JOIN sessiondb.backfill_progress AS p ON p.session_id = %(session)s
 CROSS JOIN LATERAL (SELECT pg_relation_size(p.partition) / current_setting('block_size')::integer AS blocks) AS f
 GROUP BY r.is_running
