CREATE OR REPLACE PROCEDURE sessiondb.lock_tables(p_mode text, VARIADIC p_tables regclass[])
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Locks the tables and their partitions for the next statements of the transaction in such a way that no other session
 * is ever cancelled. A lock that cannot be obtained in time is an error that names the blocking sessions.
 *
 * The wait for the first table is limited by lock_timeout. Other sessions queue behind this one there, and one of them may
 * hold the next lock: a deadlock, which the server detects deadlock_timeout after that session began to wait, and resolves
 * by cancelling it. So each other lock is waited for at most 100 ms, and only until another session could have waited
 * behind this one for deadlock_timeout.
 *
 * A session that builds an index concurrently finally waits for all older snapshots, including ours. While there is such
 * a session, this procedure does not wait at all, because that session would be cancelled.
 *
 * While it waits, a table may get another name, and another role create one of the old name: it is an error if a table no
 * longer has its name, or does not belong to a trusted role. The setting sessiondb.table_owner is the owner of the tables.
 */
DECLARE
    v_began timestamptz := clock_timestamp();
    v_table regclass;
    v_locked regclass[] := p_tables;
    v_names text[] := ARRAY(
        SELECT i.identity
          FROM unnest(p_tables) WITH ORDINALITY AS t (relid, place)
         CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, t.relid, 0) AS i
         ORDER BY t.place);
    v_builders integer[];
    v_wrong text;
BEGIN
    FOR v_table IN
        WITH RECURSIVE tree AS (
            SELECT t.relid, ARRAY[t.place] AS place
              FROM unnest(p_tables) WITH ORDINALITY AS t (relid, place)
             UNION ALL
            SELECT i.inhrelid, t.place || i.inhrelid::bigint
              FROM tree AS t
              JOIN pg_inherits AS i ON i.inhparent = t.relid
        )
        SELECT t.relid
          FROM tree AS t
          JOIN pg_class AS c ON c.oid = t.relid AND c.relkind IN ('r', 'p')
         ORDER BY cardinality(t.place), t.place
    LOOP
        v_builders := ARRAY(
            SELECT b.pid
              FROM pg_stat_progress_create_index AS b
              JOIN pg_locks AS l ON l.pid = b.pid AND l.relation = v_table AND l.granted
             -- another database that was copied from the same one may have a table with this oid
             WHERE b.datname = current_database() AND l.mode = 'ShareUpdateExclusiveLock' AND b.pid <> pg_backend_pid());
        IF v_builders <> '{}' THEN
            RAISE EXCEPTION USING
                ERRCODE = 'lock_not_available',
                MESSAGE = format('an index is being built on table %s', v_table),
                DETAIL = 'In the way: ' || ({in_the_way(v_builders)}),
                HINT = 'Run it again when the index is built.';
        END IF;
        BEGIN
            EXECUTE format('LOCK TABLE ONLY %s IN %s MODE', v_table, p_mode);
        EXCEPTION WHEN lock_not_available THEN
            RAISE EXCEPTION USING
                ERRCODE = 'lock_not_available',
                MESSAGE = format('%s: %s on table %s', SQLERRM, p_mode, v_table),
                DETAIL = 'In the way: ' || coalesce(
                    (SELECT ({in_the_way(h.pids)}) FROM (SELECT ARRAY(
                        SELECT coalesce(l.pid, 0)
                          FROM pg_locks AS l
                         WHERE l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
                           AND l.relation = v_table
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
        v_locked := array_append(v_locked, v_table);
        PERFORM set_config(
            'lock_timeout',
            format('%sms', greatest(1, least(100, (EXTRACT(epoch FROM
                0.9 * current_setting('deadlock_timeout')::interval - (clock_timestamp() - v_began)) * 1000)::integer))),
            true);
    END LOOP;
    SELECT CASE WHEN c.oid IS NULL THEN format('table %s was created after the snapshot of this transaction', t.name)
                WHEN t.name <> i.identity THEN format('table %s was renamed to %s while this waited for it', t.name, i.identity)
                ELSE format('table %s belongs to role %I, which may have created it in the place of another one', i.identity, pg_get_userbyid(c.relowner)) END
      INTO v_wrong
      FROM unnest(v_locked) WITH ORDINALITY AS l (relid, place)
      LEFT JOIN pg_class AS c ON c.oid = l.relid
     CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, l.relid, 0) AS i
     CROSS JOIN LATERAL (SELECT coalesce(v_names[l.place], i.identity) AS name) AS t
     CROSS JOIN LATERAL (SELECT coalesce(nullif(current_setting('sessiondb.table_owner', true), '')::oid, ({linked_owner()})) AS owner) AS w
     WHERE c.oid IS NULL
        OR t.name <> i.identity
        OR c.relowner NOT IN (
{trusted_roles(w.owner)}
           )
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = regexp_replace(v_wrong, '[{invisible}]', '?', 'g'), HINT = 'See: sessiondb check';
    END IF;
END
$procedure$
