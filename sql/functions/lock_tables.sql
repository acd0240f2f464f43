CREATE OR REPLACE PROCEDURE sessiondb.lock_tables(p_mode text, p_tables regclass[])
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
        CALL sessiondb.lock_table(v_table, p_mode);
        v_locked := array_append(v_locked, v_table);
        PERFORM set_config(
            'lock_timeout',
            format('%sms', greatest(1, least(100, (EXTRACT(epoch FROM
                0.9 * current_setting('deadlock_timeout')::interval - (clock_timestamp() - v_began)) * 1000)::integer))),
            true);
    END LOOP;
    SELECT CASE WHEN c.oid IS NULL THEN format('table %s was created after the snapshot of this transaction', t.name)
                WHEN t.name <> i.identity THEN format('table %s was renamed to %s while this waited for it', t.name, i.identity)
                ELSE format('table %s belongs to role %I, which may have created it in the place of another one', i.identity,
                            pg_get_userbyid(c.relowner)) END
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
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = regexp_replace(v_wrong, E'[{invisible}]', '?', 'g'), HINT = 'See: sessiondb check';
    END IF;
END
$procedure$
