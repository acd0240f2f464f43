CREATE OR REPLACE PROCEDURE sessiondb.start_backfill(p_session_id uuid)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * One row of sessiondb.backfill_progress for each table, or for each partition of it, enrolments first, since
 * submissions follow them. A backfill with the same argument that was stopped resumes where it stopped, and does not
 * look again at what it had passed.
 */
BEGIN
    IF EXISTS (SELECT FROM sessiondb.backfill_progress AS p WHERE p.finished_at IS NULL)
        AND NOT EXISTS (SELECT FROM sessiondb.backfill_progress AS p WHERE p.session_id IS DISTINCT FROM p_session_id)
    THEN
        UPDATE sessiondb.backfill_progress AS p
           SET started_at = now()
         WHERE p.finished_at IS NULL AND p.position IS NULL;
        RETURN;
    END IF;

    DELETE FROM sessiondb.backfill_progress;
    INSERT INTO sessiondb.backfill_progress (turn, table_name, partition, relfilenode, session_id)
    SELECT b.turn, b.table_name, b.partition, c.relfilenode, p_session_id
      FROM sessiondb.backfill_partitions() WITH ORDINALITY AS b (table_name, partition, blocks, turn)
      JOIN pg_class AS c ON c.oid = b.partition;
END
$procedure$
