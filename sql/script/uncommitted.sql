DO $committed$
DECLARE
    -- creating an object in a schema locks the schema, and a trigger or a foreign key its table, until the transaction ends
    v_pids integer[] := ARRAY(
        SELECT DISTINCT coalesce(l.pid, 0)
          FROM pg_locks AS l
         WHERE l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
           AND l.granted
           AND l.pid IS DISTINCT FROM pg_backend_pid()
           AND (l.locktype = 'object' AND l.classid = 'pg_namespace'::regclass AND l.objid = to_regnamespace('sessiondb')::oid
                OR l.locktype = 'relation' AND l.mode IN ('ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
                   AND l.relation IN (SELECT c.oid FROM pg_class AS c WHERE c.relnamespace = to_regnamespace('sessiondb')::oid)));
BEGIN
    IF v_pids <> '{}' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'lock_not_available',
            MESSAGE = 'another transaction has changed schema sessiondb and has not ended, so it is not known what is there',
            DETAIL = 'In the way: ' || ({in_the_way(v_pids)}),
            HINT = 'Run it again when that transaction has ended.';
    END IF;
END
$committed$;
