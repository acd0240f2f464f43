CREATE OR REPLACE FUNCTION sessiondb.backfill_step(p_rows integer)
RETURNS TABLE (table_name name, scanned bigint, linked bigint, blocks_done bigint, blocks_total bigint)
LANGUAGE plpgsql
VOLATILE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Links the next batch of old rows, about p_rows of the table, and keeps the progress in the same
 * transaction: whatever stops a backfill, at most one batch is done again. Returns what the batch did
 * and how many pages of all tables are behind us; no row when the backfill is finished.
 *
 * Rows that somebody else had locked are waited for in a second pass over their table.
 */
DECLARE
    v_progress sessiondb.backfill_progress;
    v_blocks bigint;
    v_batch bigint;
    v_to bigint;
    v_result record;
BEGIN
    LOOP
        SELECT p.* INTO v_progress
          FROM sessiondb.backfill_progress AS p
         WHERE p.finished_at IS NULL
         ORDER BY p.turn
         LIMIT 1
           FOR UPDATE;
        IF NOT FOUND THEN
            RETURN;
        END IF;

        -- the pages of a table that was rewritten are not those that we have seen
        IF v_progress.relfilenode IS DISTINCT FROM (SELECT c.relfilenode FROM pg_class AS c WHERE c.oid = v_progress.partition) THEN
            UPDATE sessiondb.backfill_progress AS p
               SET relfilenode = c.relfilenode, next_block = 0, second_pass = false, scanned = p.linked, skipped = 0, reasons = '{}'
              FROM pg_class AS c
             WHERE p.turn = v_progress.turn AND c.oid = p.partition;
            DELETE FROM sessiondb.backfill_progress AS p
             WHERE p.turn = v_progress.turn
               AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = p.partition);
            CONTINUE;
        END IF;
        v_blocks := pg_relation_size(v_progress.partition) / current_setting('block_size')::integer;
        EXIT WHEN v_progress.next_block < v_blocks;

        IF v_progress.skipped > 0 AND NOT v_progress.second_pass THEN
            UPDATE sessiondb.backfill_progress AS p SET second_pass = true, next_block = 0 WHERE p.turn = v_progress.turn;
        ELSE
            UPDATE sessiondb.backfill_progress AS p SET finished_at = now() WHERE p.turn = v_progress.turn;
        END IF;
    END LOOP;

    -- about 50 rows on a page, where the table was never analysed
    SELECT greatest(1, p_rows * CASE WHEN c.reltuples > 0 THEN c.relpages / c.reltuples ELSE 0.02 END)::bigint
      INTO v_batch
      FROM pg_class AS c
     WHERE c.oid = v_progress.partition;
    v_to := least(v_progress.next_block + v_batch, v_blocks);

    SELECT b.* INTO v_result
      FROM sessiondb.link_batch(
               v_progress.table_name, v_progress.partition, v_progress.next_block, v_to, v_progress.session_id,
               CASE WHEN v_progress.second_pass THEN 'wait' ELSE 'link' END) AS b;

    UPDATE sessiondb.backfill_progress AS p
       SET next_block = v_to,
           scanned = p.scanned + CASE WHEN p.second_pass THEN 0 ELSE v_result.scanned END,
           linked = p.linked + v_result.linked,
           skipped = p.skipped + CASE WHEN p.second_pass THEN -v_result.linked ELSE v_result.skipped END,
           reasons = CASE WHEN p.second_pass THEN p.reasons ELSE sessiondb.add_counts(p.reasons, v_result.reasons) END
     WHERE p.turn = v_progress.turn;

    RETURN QUERY
        SELECT v_progress.table_name, v_result.scanned, v_result.linked,
               sum(CASE WHEN p.finished_at IS NULL THEN p.next_block ELSE s.blocks END)::bigint, sum(s.blocks)::bigint
          FROM sessiondb.backfill_progress AS p
         CROSS JOIN LATERAL (
                SELECT pg_relation_size(p.partition) / current_setting('block_size')::integer AS blocks
               ) AS s;
END
$function$;

COMMENT ON FUNCTION sessiondb.backfill_step(integer) IS
    'Links the next batch of old rows and keeps the progress; no row when the backfill is finished';

REVOKE ALL ON FUNCTION sessiondb.backfill_step(integer) FROM PUBLIC;
