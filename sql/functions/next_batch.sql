CREATE OR REPLACE FUNCTION sessiondb.next_batch(p_rows integer)
RETURNS TABLE (turn bigint, table_name name, partition regclass, session_id uuid, from_row tid, to_row tid, mode text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The pages that backfill_step() links next, with about p_rows rows of the table; no row when the backfill is finished.
 * The arguments of link_batch() are among the columns.
 *
 * A second pass over the table waits for rows that another transaction had locked. A row that was changed meanwhile may
 * have moved anywhere in the table, also to a page that was read, and may belong to another session or to none; its own
 * UPDATE has linked it only if it saw the session. So passes are repeated until one skips no row, and each starts its
 * counts again.
 */
DECLARE
    v_at record;
    v_file oid;
BEGIN
    LOOP
        SELECT p.*, coalesce((p.position ->> 'block')::bigint, 0) AS block, c.reltuples, c.relpages,
               pg_relation_size(c.oid) / current_setting('block_size')::integer AS blocks
          INTO v_at
          FROM sessiondb.backfill_progress AS p
         CROSS JOIN sessiondb.installation AS i
          LEFT JOIN pg_class AS c
            ON c.oid = p.partition
           -- a role that may run a backfill may write any name into the row
           AND p.table_name IN ('enrollments', 'submissions')
           AND coalesce(pg_partition_root(c.oid), c.oid) = to_regclass(format('%I.%I', i.platform_schema, p.table_name))
         WHERE p.finished_at IS NULL
         ORDER BY p.turn
         LIMIT 1
           FOR UPDATE OF p;
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
        -- after its size, which waits for a rewrite; what that statement read of pg_class may be older
        v_file := CASE WHEN v_at.blocks IS NOT NULL THEN pg_relation_filenode(v_at.partition) END;
        EXIT WHEN v_file = v_at.relfilenode AND v_at.block < v_at.blocks;

        IF v_file <> v_at.relfilenode OR v_file IS NOT NULL AND v_at.skipped > 0 THEN
            -- from its first page again: a table that was rewritten has different pages
            UPDATE sessiondb.backfill_progress AS p
               SET position = NULL, scanned = p.linked, skipped = 0, reasons = '{}',
                   second_pass = v_file = p.relfilenode, relfilenode = v_file,
                   started_at = CASE WHEN v_file = p.relfilenode THEN p.started_at ELSE now() END
             WHERE p.turn = v_at.turn;
        ELSE
            -- also if it was detached or dropped meanwhile: what was linked there remains counted, and it may be attached again
            UPDATE sessiondb.backfill_progress AS p
               SET finished_at = now(), partition = CASE WHEN v_file IS NULL THEN 0::oid::regclass ELSE p.partition END
             WHERE p.turn = v_at.turn;
        END IF;
    END LOOP;

    turn := v_at.turn;
    table_name := v_at.table_name;
    partition := v_at.partition;
    session_id := v_at.session_id;
    mode := CASE WHEN v_at.second_pass THEN 'wait' ELSE 'link' END;
    from_row := format('(%s,0)', v_at.block)::tid;
    -- 50 rows per page are assumed if there are no statistics, or if the table was much smaller at the time; the
    -- backfill itself doubles its size
    to_row := format('(%s,0)', least(v_at.blocks, v_at.block + greatest(1, p_rows / CASE
        WHEN v_at.reltuples > 0 AND v_at.relpages * 3::bigint >= v_at.blocks THEN v_at.reltuples / v_at.relpages ELSE 50 END)::bigint))::tid;
    RETURN NEXT;
END
$function$
