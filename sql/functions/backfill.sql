CREATE OR REPLACE PROCEDURE sessiondb.backfill(p_session_id uuid DEFAULT NULL)
LANGUAGE plpgsql
SECURITY INVOKER
AS $procedure$
/*
 * Links all old rows, in short transactions of about 200 ms each: CALL sessiondb.backfill() in psql,
 * outside a transaction. Stopped on its way it goes on there when it is called again.
 *
 * No search_path is pinned, since a procedure that has settings of its own may not commit; instead
 * each transaction sets it, before anything that a caller's path could change the meaning of. The
 * advisory lock is the one that apply takes, too.
 */
DECLARE
    v_rows integer := 1000;
    v_begun boolean := false;
    v_began timestamptz;
    v_done boolean;
    v_tries integer := 0;
    v_took double precision;
BEGIN
    LOOP
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
        -- for each batch anew, so that it is let go however this ends
        IF NOT pg_catalog.pg_try_advisory_xact_lock(8315179226536832612) THEN
            RAISE EXCEPTION USING
                ERRCODE = 'lock_not_available',
                MESSAGE = 'another sessiondb run works on this database',
                HINT = 'Call it again when that has ended.';
        END IF;
        IF NOT v_begun THEN
            CALL sessiondb.begin_backfill(p_session_id);
            v_begun := true;
        END IF;
        v_began := pg_catalog.clock_timestamp();
        -- or else others would wait for the rows of this batch as long as it waits for one that stays locked
        PERFORM pg_catalog.set_config('lock_timeout', '2s', true);
        BEGIN
            PERFORM sessiondb.backfill_step(v_rows);
            v_done := NOT FOUND;
            v_tries := 0;
        EXCEPTION WHEN foreign_key_violation OR check_violation OR lock_not_available OR deadlock_detected
                    OR serialization_failure THEN
            -- a session, a membership or a row has just changed, or is about to: the batch is done again
            v_tries := v_tries + 1;
            v_done := false;
            IF v_tries > 5 THEN
                RAISE;
            END IF;
        END;
        EXIT WHEN v_done;
        v_took := greatest(EXTRACT(epoch FROM pg_catalog.clock_timestamp() - v_began)::double precision, 0.001);
        -- no more than 5000: after pages with nothing to link may come some with much
        v_rows := least(greatest(v_rows * least(greatest(0.2 / v_took, 0.5), 2.0), 100), 5000)::integer;
        COMMIT;
    END LOOP;
    COMMIT;
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.backfill(uuid) IS
    'Links all old rows, or those that belong to one session, in short transactions';

REVOKE ALL ON PROCEDURE sessiondb.backfill(uuid) FROM PUBLIC;
