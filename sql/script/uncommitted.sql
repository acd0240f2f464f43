DO $committed$
DECLARE
    -- a run of sessiondb creates things there, too, for moments; 0 is no limit
    v_until timestamptz := clock_timestamp() + coalesce(nullif(current_setting('lock_timeout')::interval, '0'), '10s');
    v_pids integer[];
BEGIN
    LOOP
        -- or the sessions are those that this transaction saw first
        PERFORM pg_stat_clear_snapshot();
        v_pids := ARRAY(
{uncommitted($1)}
            );
        EXIT WHEN v_pids = '{}' OR clock_timestamp() > v_until;
        PERFORM pg_sleep(0.02);
    END LOOP;
    IF v_pids <> '{}' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'lock_not_available',
            MESSAGE = 'another transaction has changed schema sessiondb and has not ended, so it is not known what is there',
            DETAIL = 'In the way: ' || ({in_the_way(v_pids)}),
            HINT = 'Run it again when that transaction has ended.';
    END IF;
END
$committed$;
