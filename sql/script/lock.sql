DO $lock$
BEGIN
    -- this session already has it if the script was interrupted before
    IF EXISTS (
        SELECT FROM pg_locks AS l
         WHERE l.locktype = 'advisory' AND l.pid = pg_backend_pid() AND l.objsubid = 1
           AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
           AND (l.classid::bigint << 32 | l.objid::bigint) = {key})
    THEN
        RETURN;
    END IF;
    FOR _ IN 1..20 LOOP  -- the server takes a moment to notice that a run has ended
        IF pg_try_advisory_lock({key}) THEN
            RETURN;
        END IF;
        PERFORM pg_sleep(0.1);
    END LOOP;
    RAISE EXCEPTION USING
        MESSAGE = 'another sessiondb run is working on this database',
        HINT = 'Run the script again when that run has ended.';
END
$lock$;
