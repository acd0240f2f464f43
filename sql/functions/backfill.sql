CREATE OR REPLACE PROCEDURE sessiondb.backfill(p_session_id uuid DEFAULT NULL)
LANGUAGE plpgsql
AS $procedure$
/*
 * Links all existing rows in short transactions of about 200 ms each: CALL sessiondb.backfill() in psql, outside a
 * transaction block. An interrupted backfill resumes when it is called again. Notices show the progress every five
 * seconds, and at the end what was linked, and what cannot be linked and why.
 *
 * No search_path is pinned, because a procedure with a SET clause cannot commit. Instead each transaction sets it before
 * anything whose meaning depends on it. What touches the platform's tables, and the commit, run under the initial path
 * of the connection. The advisory lock is the same as for apply, taken for each batch separately, so that it is
 * released however this ends. The lock on sessiondb.installation keeps the schema until the transaction ends: any role
 * may create one of that name after a DROP SCHEMA.
 *
 * Longer than a screen: one loop, because whatever it calls cannot commit either, with all that a transaction must set.
 *
 * A statement_timeout of the caller applies to the whole CALL, which cannot change that; a lock_timeout of the caller
 * applies if it is shorter than ours.
 */
DECLARE
    v_schema pg_catalog.oid := pg_catalog.to_regnamespace('sessiondb');
    v_rows integer;
    v_call pg_catalog.timestamptz := pg_catalog.now();
    v_began pg_catalog.timestamptz;
    v_told pg_catalog.timestamptz := pg_catalog.clock_timestamp();
    v_step pg_catalog.record;
    v_linked bigint := 0;
    v_tries integer := 0;
    v_counts pg_catalog.record;
    v_path pg_catalog.text;
    v_text pg_catalog.text;
    v_broken pg_catalog.text;
BEGIN
    LOOP
        PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true), pg_catalog.set_config('jit', 'off', true);
        IF NOT pg_try_advisory_xact_lock(8315179226536832612) THEN
            RAISE EXCEPTION 'another sessiondb run is working on this database'
                USING ERRCODE = 'lock_not_available', HINT = 'Call it again when that run has ended.';
        END IF;
        LOCK TABLE sessiondb.installation IN ACCESS SHARE MODE;
        IF to_regnamespace('sessiondb') IS DISTINCT FROM v_schema THEN
            RAISE EXCEPTION 'schema sessiondb was replaced; linked by this call: %', v_linked
                USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Linked rows stay linked. See: sessiondb status';
        END IF;
        PERFORM set_config('sessiondb.platform_path', v_path, true);
        IF v_rows IS NULL THEN
            v_rows := 100;
            IF current_setting('statement_timeout') <> '0' THEN
                RAISE NOTICE 'statement_timeout ends this call after %; rows that are linked by then stay linked',
                    current_setting('statement_timeout')
                    USING HINT = 'Call it again to resume, or first: SET statement_timeout TO 0';
            END IF;
            CALL sessiondb.begin_backfill(p_session_id);
            v_path := current_setting('sessiondb.platform_path');
            PERFORM set_config('search_path', v_path, true);
            FOR v_text IN SELECT r.remark FROM sessiondb.backfill_remarks(p_session_id) AS r (remark) LOOP
                RAISE NOTICE '%', pg_catalog.regexp_replace(v_text, E'[{invisible}]', '?', 'g');
            END LOOP;
            SET LOCAL search_path TO pg_catalog, pg_temp;
        END IF;
        v_began := clock_timestamp();
        -- citus: SET LOCAL citus.propagate_set_commands TO local;
        -- citus: SET LOCAL lock_timeout TO '2s';
        BEGIN
            PERFORM set_config('search_path', v_path, true);
            SELECT s.* INTO v_step FROM sessiondb.backfill_step(v_rows) AS s;
            SET LOCAL search_path TO pg_catalog, pg_temp;
            EXIT WHEN v_step.table_name IS NULL;
            v_tries := 0;
            v_linked := v_linked + v_step.linked;
        EXCEPTION WHEN foreign_key_violation OR check_violation OR lock_not_available OR deadlock_detected
                    OR serialization_failure OR undefined_table THEN
            -- a session, a membership, a row or a partition has just changed, or is about to, unless a constraint is not ours
            GET STACKED DIAGNOSTICS v_broken = CONSTRAINT_NAME;
            v_tries := v_tries + 1;
            IF v_tries > 10 OR SQLSTATE = '23514' AND v_broken NOT LIKE E'%\\_session\\_id\\_coherent' AND v_broken <> '' THEN
                RAISE NOTICE 'stopped; linked by this call: %', v_linked USING HINT = 'Linked rows stay linked; call it again to resume.';
                RAISE;
            END IF;
            RAISE NOTICE 'the batch is tried again: %', regexp_replace(SQLERRM, E'[{invisible}]', '?', 'g');
            PERFORM pg_sleep(0.1 * v_tries);
        END;
        IF v_tries = 0 AND clock_timestamp() > v_told + interval '5 seconds' THEN
            v_told := clock_timestamp();
            RAISE NOTICE 'linked by this call: %; pages: % of %', v_linked, v_step.blocks_done, v_step.blocks_total;
        END IF;
        -- at most 5000: pages with nothing to link take no time, but the next ones may have much to do
        v_rows := least(greatest(v_rows * least(greatest(0.2 / greatest(EXTRACT(epoch FROM clock_timestamp() - v_began), 0.001),
                                                         0.5), 2.0), 100), 5000);
        -- for deferred triggers
        PERFORM set_config('search_path', v_path, true);
        COMMIT;
    END LOOP;
    SET LOCAL search_path TO pg_catalog, pg_temp;
    FOR v_counts IN SELECT c.* FROM sessiondb.backfill_counts() AS c LOOP
        RAISE NOTICE '%: % linked, % cannot be.', v_counts.table_name, v_counts.linked, v_counts.unlinkable;
        -- a role that may run a backfill could forge a line with a reason
        FOR v_text IN SELECT regexp_replace(format('  %s: %s', e.key, e.value), E'[{invisible}]', '?', 'g')
            FROM jsonb_each_text(v_counts.reasons) AS e ORDER BY e.key LOOP
            RAISE NOTICE '%', v_text;
        END LOOP;
        IF v_counts.as_of < v_call THEN
            RAISE NOTICE 'Rows that became linkable after % may not be linked yet: call it again.', date_trunc('second', v_counts.as_of);
        END IF;
    END LOOP;
    PERFORM set_config('search_path', v_path, true);
    COMMIT;
END
$procedure$
