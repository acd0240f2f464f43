CREATE OR REPLACE FUNCTION sessiondb.backfill_step(p_rows integer)
RETURNS TABLE (table_name name, scanned bigint, linked bigint, blocks_done bigint, blocks_total bigint)
LANGUAGE plpgsql
AS $function$
/*
 * Links the next batch of existing rows, about p_rows of the table, and saves the progress in the same transaction:
 * whatever interrupts a backfill, at most one batch is repeated. Returns what the batch did and how many pages of all
 * tables are done; no row when the backfill is finished.
 */
DECLARE
    v_batch pg_catalog.record;
    v_done pg_catalog.record;
BEGIN
    -- citus: RETURN QUERY SELECT s.* FROM sessiondb.backfill_users(p_rows) AS s;
    -- citus: RETURN;
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
