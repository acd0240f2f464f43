CREATE OR REPLACE PROCEDURE sessiondb.begin_backfill(p_session_id uuid)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Prepares for backfill_step(): inserts a row into sessiondb.backfill_progress for each table or partition, enrolments
 * first, because submissions follow them. An interrupted backfill with the same argument resumes where it stopped, and
 * does not read again what it had finished; a mistyped id must not delete its progress.
 */
BEGIN
    CALL sessiondb.require_trusted();
    CALL sessiondb.require_types();
    IF p_session_id IS NOT NULL AND sessiondb.ask((
        SELECT format('SELECT pg_catalog.to_jsonb(s.id) FROM %I.sessions AS s WHERE s.id OPERATOR(pg_catalog.=) %L', i.platform_schema, p_session_id)
          FROM sessiondb.installation AS i)) IS NULL
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = format('there is no session with the id %s', p_session_id),
            HINT = 'List them with: sessiondb session list';
    END IF;
    CALL sessiondb.require_visible();
    IF EXISTS (SELECT FROM sessiondb.backfill_progress AS p WHERE p.finished_at IS NULL)
        AND NOT EXISTS (
            SELECT FROM sessiondb.backfill_progress AS p
             WHERE p.session_id IS DISTINCT FROM p_session_id
                -- a role that may run a backfill may write anything there
                OR p.turn NOT BETWEEN 1 AND 1000000000
                OR p.started_at NOT BETWEEN '2000-01-01' AND now()
                OR greatest(p.scanned, p.linked, p.skipped) > 1000000000000000 OR least(p.scanned, p.linked, p.skipped) < 0
                OR p.reasons::text !~ E'^{("\\w{1,63}": \\d{1,15}(, )?)*}$'
                OR p.position IS NOT NULL AND p.position::text !~ E'^{"(block": \\d{1,10}|user_id": "[0-9a-f-]{36}")}$')
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
