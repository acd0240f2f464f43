CREATE OR REPLACE PROCEDURE sessiondb.begin_backfill(p_session_id uuid)
LANGUAGE plpgsql
AS $procedure$
/*
 * Prepares for backfill_step(), or for resuming an interrupted backfill, whose progress a mistyped id must not delete.
 */
BEGIN
    CALL sessiondb.require_trusted();
    IF p_session_id IS NOT NULL AND NOT EXISTS (SELECT FROM platform.sessions AS s WHERE s.id OPERATOR(pg_catalog.=) p_session_id) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = pg_catalog.format('there is no session with the id %s', p_session_id),
            HINT = 'List them with: sessiondb session list';
    END IF;
    CALL sessiondb.start_backfill(p_session_id);
END
$procedure$
