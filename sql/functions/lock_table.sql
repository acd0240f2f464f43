CREATE OR REPLACE PROCEDURE sessiondb.lock_table(p_table regclass, p_mode text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Locks one table, without its partitions, for lock_tables(). A lock that cannot be obtained within lock_timeout is an error that
 * names the blocking sessions.
 *
 * A session that builds an index concurrently finally waits for all older snapshots, including ours. While there is such
 * a session, this procedure does not wait at all, because that session would be cancelled.
 */
DECLARE
    v_builders integer[];
BEGIN
    v_builders := ARRAY(
        SELECT b.pid
          FROM pg_stat_progress_create_index AS b
          JOIN pg_locks AS l ON l.pid = b.pid AND l.relation = p_table AND l.granted
         -- another database that was copied from the same one may have a table with this oid
         WHERE b.datname = current_database() AND l.mode = 'ShareUpdateExclusiveLock' AND b.pid <> pg_backend_pid());
    IF v_builders <> '{}' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'lock_not_available',
            MESSAGE = regexp_replace(format('an index is being built on table %s', p_table), E'[{invisible}]', '?', 'g'),
            DETAIL = 'In the way: ' || ({in_the_way(v_builders)}),
            HINT = 'Run it again when the index is built.';
    END IF;
    BEGIN
        EXECUTE format('LOCK TABLE ONLY %s IN %s MODE', p_table, p_mode);
    EXCEPTION WHEN lock_not_available THEN
        RAISE EXCEPTION USING
            ERRCODE = 'lock_not_available',
            MESSAGE = regexp_replace(format('%s: %s on table %s', SQLERRM, p_mode, p_table), E'[{invisible}]', '?', 'g'),
            DETAIL = 'In the way: ' || coalesce(
                (SELECT ({in_the_way(h.pids)}) FROM (SELECT ARRAY(
                    SELECT coalesce(l.pid, 0)
                      FROM pg_locks AS l
                     WHERE l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
                       AND l.relation = p_table
                       AND l.granted
                       AND l.pid IS DISTINCT FROM pg_backend_pid()
                       AND l.mode <> ALL (CASE p_mode
                               WHEN 'ACCESS EXCLUSIVE' THEN '{}'
                               WHEN 'SHARE ROW EXCLUSIVE' THEN '{AccessShareLock, RowShareLock}'
                               ELSE '{AccessShareLock, RowShareLock, RowExclusiveLock}'
                           END::text[])) AS pids) AS h),
                'unknown, it has just ended'),
            HINT = 'Run it again when the blocking session has ended.';
    END;
END
$procedure$
