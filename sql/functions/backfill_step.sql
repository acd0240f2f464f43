CREATE OR REPLACE FUNCTION sessiondb.backfill_step(p_rows integer)
RETURNS TABLE (table_name name, scanned bigint, linked bigint, blocks_done bigint, blocks_total bigint)
LANGUAGE plpgsql
VOLATILE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Links the next batch of old rows, about p_rows of the table, and keeps the progress in the same
 * transaction: whatever stops a backfill, at most one batch is done again. Returns what the batch did
 * and how many pages of all tables are behind us; no row when the backfill is finished.
 *
 * Rows that somebody else had locked are waited for in a second pass over their table. One that was changed
 * meanwhile may be anywhere in it now, and lead to another session or to none: so passes follow until one
 * has skipped no row, and each counts anew.
 */
DECLARE
    v_progress sessiondb.backfill_progress;
    v_relfilenode oid;
    v_blocks bigint;
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
            -- partitions that were attached meanwhile
            INSERT INTO sessiondb.backfill_progress (turn, table_name, partition, relfilenode, session_id)
            SELECT known.turn + row_number() OVER (), b.table_name, b.partition, c.relfilenode, known.session_id
              FROM sessiondb.backfill_partitions() AS b
              JOIN pg_class AS c ON c.oid = b.partition
             CROSS JOIN (SELECT p.turn, p.session_id FROM sessiondb.backfill_progress AS p ORDER BY p.turn DESC LIMIT 1) AS known
             WHERE b.partition NOT IN (SELECT p.partition FROM sessiondb.backfill_progress AS p);
            CONTINUE WHEN FOUND;
            RETURN;
        END IF;

        SELECT c.relfilenode INTO v_relfilenode
          FROM pg_class AS c
         CROSS JOIN sessiondb.installation AS i
         WHERE c.oid = v_progress.partition
           AND coalesce(pg_partition_root(c.oid), c.oid) = to_regclass(format('%I.%I', i.platform_schema, v_progress.table_name));
        IF NOT FOUND THEN
            -- detached or dropped meanwhile: what was linked there stays counted
            UPDATE sessiondb.backfill_progress AS p
               SET finished_at = now()
             WHERE p.turn = v_progress.turn;
            CONTINUE;
        ELSIF v_relfilenode <> v_progress.relfilenode THEN
            -- the pages of a table that was rewritten are not those that we have seen
            UPDATE sessiondb.backfill_progress AS p
               SET relfilenode = v_relfilenode, started_at = now(),
                   next_block = 0, second_pass = false, scanned = p.linked, skipped = 0, reasons = '{}'
             WHERE p.turn = v_progress.turn;
            CONTINUE;
        END IF;
        v_blocks := pg_relation_size(v_progress.partition) / current_setting('block_size')::integer;
        EXIT WHEN v_progress.next_block < v_blocks;

        IF v_progress.skipped > 0 THEN
            UPDATE sessiondb.backfill_progress AS p
               SET next_block = 0, second_pass = true, scanned = p.linked, skipped = 0, reasons = '{}'
             WHERE p.turn = v_progress.turn;
        ELSE
            UPDATE sessiondb.backfill_progress AS p SET finished_at = now() WHERE p.turn = v_progress.turn;
        END IF;
    END LOOP;

    -- about 50 rows on a page, where the statistics are of none or of a time when the table was much smaller;
    -- the backfill itself makes it twice as large
    SELECT least(v_progress.next_block + greatest(1, p_rows / s.rows_on_page)::bigint, v_blocks)
      INTO v_to
      FROM pg_class AS c
     CROSS JOIN LATERAL (
            SELECT CASE WHEN c.reltuples > 0 AND c.relpages * 3 >= v_blocks THEN c.reltuples / c.relpages ELSE 50 END AS rows_on_page
           ) AS s
     WHERE c.oid = v_progress.partition;

    SELECT b.* INTO v_result
      FROM sessiondb.link_batch(
               v_progress.table_name, v_progress.partition, v_progress.next_block, v_to, v_progress.session_id,
               CASE WHEN v_progress.second_pass THEN 'wait' ELSE 'link' END) AS b;

    UPDATE sessiondb.backfill_progress AS p
       SET next_block = v_to,
           scanned = p.scanned + v_result.scanned,
           linked = p.linked + v_result.linked,
           skipped = p.skipped + v_result.skipped,
           reasons = sessiondb.add_counts(p.reasons, v_result.reasons)
     WHERE p.turn = v_progress.turn;

    RETURN QUERY
        SELECT v_progress.table_name, v_result.scanned, v_result.linked,
               sum(CASE WHEN p.finished_at IS NULL THEN p.next_block ELSE s.blocks END)::bigint, sum(s.blocks)::bigint
          FROM sessiondb.backfill_progress AS p
         CROSS JOIN LATERAL (
                SELECT pg_relation_size(p.partition) / current_setting('block_size')::integer AS blocks
               ) AS s;
END
$function$
