DO $lock$
BEGIN
    -- this session has it already where the script was stopped before
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
-- Before the look at its owner: a schema that another role makes just now is not there yet. And under the lock, or else a
-- rollback could drop ours meanwhile, and another role make its own.
SELECT EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = 'sessiondb') AS sessiondb_is_there \gset
