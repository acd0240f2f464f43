CREATE OR REPLACE FUNCTION sessiondb.backfill_step(p_rows integer)
RETURNS TABLE (table_name name, scanned bigint, linked bigint, blocks_done bigint, blocks_total bigint)
LANGUAGE plpgsql
AS $function$
/*
 * Links the next batch of existing rows, about p_rows of the table, and saves the progress in the same transaction:
 * whatever interrupts a backfill, at most one batch is repeated. Returns what the batch did and how many pages of all
 * tables are done; no row when the backfill is finished.
 *
 * A session that waits for a row of this batch may hold the row for which the batch waits: a deadlock, which the server
 * resolves by cancelling that session when it has waited for deadlock_timeout. So this waits for a lock at most half as long.
 */
DECLARE
    v_batch pg_catalog.record;
    v_done pg_catalog.record;
BEGIN
    PERFORM pg_catalog.set_config('lock_timeout', pg_catalog.min(
                s.setting::pg_catalog.int4
                OPERATOR(pg_catalog./) CASE WHEN s.name OPERATOR(pg_catalog.=) 'deadlock_timeout' THEN 2 ELSE 1 END)::pg_catalog.text, true)
       FROM pg_catalog.pg_settings AS s
      WHERE s.name OPERATOR(pg_catalog.=) 'deadlock_timeout'
         OR s.name OPERATOR(pg_catalog.=) 'lock_timeout' AND s.setting OPERATOR(pg_catalog.<>) '0';
    -- citus: RETURN QUERY SELECT s.* FROM sessiondb.backfill_users(p_rows) AS s;
    -- citus: RETURN;
    CALL sessiondb.require_trusted();
    -- row level security may have been enabled since the last batch
    CALL sessiondb.require_visible();
    SELECT b.* INTO v_batch FROM sessiondb.next_batch(p_rows) AS b;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT l.*
      INTO v_done
      FROM sessiondb.link_batch(v_batch.table_name, v_batch.partition, v_batch.from_row, v_batch.to_row, v_batch.session_id, v_batch.mode) AS l;
    RETURN QUERY
        SELECT k.*
          FROM sessiondb.keep_batch(v_batch.turn, v_batch.to_row, v_done.scanned, v_done.linked, v_done.skipped, v_done.reasons) AS k;
END
$function$
