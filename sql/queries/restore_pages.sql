-- The statements that restore the saved links of table $1, those on 16 pages of saved links (some 1,500) each; $2 is the row that
-- restore_links has of the table of saved links, $3 that of the platform's table.
--
-- Each first reads the columns without their table, because one that was renamed would else be a call of a function. It writes
-- only rows that it has locked before, and waits for one that another session has locked only while it holds none: else one
-- that waits for a row of the batch could be the victim of a deadlock. It raises an error if a trigger or rule of the platform
-- kept a row from being linked.
SELECT g.page, format('DO %L', concat('BEGIN' || u.before, format($batch$
DECLARE
    v_restored pg_catalog.tid[];
    v_rows pg_catalog.tid[];
    v_versions pg_catalog.text[];
    v_waited_for pg_catalog.tid;
    v_version pg_catalog.text;
    /* waits as long as the first one for a table, but not until a session that waits for one of these looks for a deadlock */
    v_patience pg_catalog.int4 := (
        SELECT pg_catalog.min(s.setting::pg_catalog.int4
                             OPERATOR(pg_catalog./) CASE WHEN s.name OPERATOR(pg_catalog.=) 'deadlock_timeout' THEN 2 ELSE 1 END)
          FROM pg_catalog.pg_settings AS s
         WHERE s.name OPERATOR(pg_catalog.=) 'deadlock_timeout' OR s.name OPERATOR(pg_catalog.=) 'lock_timeout'
             AND s.setting OPERATOR(pg_catalog.<>) '0');
    v_until pg_catalog.timestamptz;
    v_lost pg_catalog.int8;
    v_constraint pg_catalog.text;
BEGIN
    CALL sessiondb.lock_tables('ROW EXCLUSIVE', ARRAY[%3$L, %1$L]::pg_catalog.regclass[]);
    /* check_session() reads others, too */
    CALL sessiondb.hold_tables();
    CALL sessiondb.require_tables();
    %10$s;
    PERFORM %7$s FROM %3$s LIMIT 0;
    /* by which check_session() knows that this restores links: is_restoring() */
    UPDATE sessiondb.installation SET version = version;
    PERFORM org_id, course_id FROM %1$s WHERE id OPERATOR(pg_catalog.=) ANY (SELECT r.session_id FROM %2$s AS r WHERE %5$s) FOR KEY SHARE;
    v_until := pg_catalog.clock_timestamp() OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => v_patience OPERATOR(pg_catalog./) 1000.0);
    PERFORM pg_catalog.set_config('lock_timeout', v_patience::pg_catalog.text, true);
    LOOP
        BEGIN
            PERFORM FROM %3$s AS t WHERE t.ctid OPERATOR(pg_catalog.=) v_waited_for
                AND pg_catalog.concat(t.tableoid, t.ctid, t.xmin) OPERATOR(pg_catalog.=) v_version FOR NO KEY UPDATE;
            SELECT pg_catalog.array_agg(l.row_id), pg_catalog.array_agg(l.version) INTO v_rows, v_versions
              FROM (SELECT t.ctid AS row_id, pg_catalog.concat(t.tableoid, t.ctid, t.xmin) AS version
                      FROM %3$s AS t JOIN %2$s AS r ON %5$s AND %4$s WHERE t.session_id IS NULL FOR NO KEY UPDATE OF t SKIP LOCKED) AS l;
            SELECT t.ctid, pg_catalog.concat(t.tableoid, t.ctid, t.xmin) INTO v_waited_for, v_version
              FROM %3$s AS t JOIN %2$s AS r ON %5$s AND %4$s
             WHERE t.session_id IS NULL AND (pg_catalog.concat(t.tableoid, t.ctid, t.xmin) OPERATOR(pg_catalog.=) ANY (v_versions)) IS NOT TRUE
             LIMIT 1;
            EXIT WHEN v_waited_for IS NULL;
            RAISE EXCEPTION USING ERRCODE = 'assert_failure', MESSAGE = 'to give up the locks';
        EXCEPTION WHEN assert_failure THEN
            IF pg_catalog.clock_timestamp() OPERATOR(pg_catalog.>) v_until THEN
                RAISE EXCEPTION USING ERRCODE = 'lock_not_available', MESSAGE = %11$L;
            END IF;
        END;
    END LOOP;
    %13$s;
    /* the write may give the row another version, so that it is not found again */
    SELECT pg_catalog.array_agg(r.ctid), pg_catalog.array_agg(t.ctid), pg_catalog.array_agg(pg_catalog.concat(t.tableoid, t.ctid, t.xmin))
      INTO v_restored, v_rows, v_versions
      FROM %3$s AS t JOIN %2$s AS r ON %5$s AND %4$s JOIN %1$s AS s ON s.id OPERATOR(pg_catalog.=) r.session_id%6$s
     WHERE t.session_id IS NULL AND t.ctid OPERATOR(pg_catalog.=) ANY (v_rows)
       AND pg_catalog.concat(t.tableoid, t.ctid, t.xmin) OPERATOR(pg_catalog.=) ANY (v_versions);
    /* no notice of the platform's triggers, for each of which the server would wait if the client is suspended */
    SET LOCAL client_min_messages TO error;
    BEGIN
        UPDATE %3$s AS t SET session_id = r.session_id FROM %2$s AS r JOIN %1$s AS s ON s.id OPERATOR(pg_catalog.=) r.session_id%6$s
         WHERE %5$s AND %4$s AND t.session_id IS NULL AND t.ctid OPERATOR(pg_catalog.=) ANY (v_rows)
           AND pg_catalog.concat(t.tableoid, t.ctid, t.xmin) OPERATOR(pg_catalog.=) ANY (v_versions);
    EXCEPTION WHEN check_violation THEN
        /* a trigger changed what the link was saved by, or had its row moved to another partition, for which it is a new one */
        GET STACKED DIAGNOSTICS v_constraint = CONSTRAINT_NAME;
        IF v_constraint OPERATOR(pg_catalog.<>) %12$L THEN
            RAISE;
        END IF;
    END;
    SET LOCAL client_min_messages TO notice;
    IF EXISTS (SELECT FROM %3$s AS t WHERE t.ctid OPERATOR(pg_catalog.=) ANY (v_rows) AND t.session_id IS NULL
                  AND pg_catalog.concat(t.tableoid, t.ctid, t.xmin) OPERATOR(pg_catalog.=) ANY (v_versions)) THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = %8$L, HINT = %9$L;
    END IF;
    DELETE FROM %2$s AS r USING %3$s AS t WHERE %5$s AND %4$s AND t.session_id IS NOT NULL;
    DELETE FROM %2$s AS r WHERE r.ctid OPERATOR(pg_catalog.=) ANY (v_restored);
    v_lost := (SELECT pg_catalog.count(r.session_id) FROM %2$s AS r WHERE %5$s);
    DELETE FROM %2$s AS r WHERE %5$s;
    IF v_lost OPERATOR(pg_catalog.>) 0 THEN
        RAISE NOTICE 'saved links of %% that are discarded, because their row or session is gone or another one now: %%', %3$L, v_lost;
    END IF;
END$batch$,
           $3.sessions, $2.name, $3.name,
           $2.same_row || CASE WHEN $2.shared_key IS NULL THEN '' ELSE format(
               ' AND NOT EXISTS (SELECT FROM %s AS o WHERE %s '
               'AND (o.tableoid, o.ctid) OPERATOR(pg_catalog.<>) (t.tableoid, t.ctid))', $3.name, $2.shared_key) END,
           format('r.ctid OPERATOR(pg_catalog.>=) %L AND r.ctid OPERATOR(pg_catalog.<) %L', format('(%s,0)', g.page), format('(%s,0)', g.page + 16)),
           CASE WHEN $2.has_belongs_to THEN
               E'\n      AND r.session_belongs_to OPERATOR(pg_catalog.=) ANY (ARRAY[pg_catalog.concat(s.org_id, '' '', s.course_id), ''?''])' END,
           $2.columns,
           format('rows of table %s did not get their saved links back: another session wrote them at the same time, or a trigger '
                  'or rule kept them from it', $3.name),
           format('Run apply again. If it stops here again, disable the trigger or rule first: '
                  'ALTER TABLE %s DISABLE TRIGGER ... (or RULE ...)', $3.name), u.guard,
           format('other sessions lock rows of table %s that get their saved links back', $3.name), $1 || '_session_id_coherent',
           ({spend_notes($1, $2, $3)})),
           ';' || u.after || 'END')) AS statement,
       json_build_object($1, CASE WHEN u.before IS NULL THEN 'ROW EXCLUSIVE' ELSE 'ACCESS EXCLUSIVE' END,
                         'sessions', CASE WHEN u.before IS NULL THEN 'ROW EXCLUSIVE' ELSE 'ACCESS EXCLUSIVE' END) AS locks
  FROM generate_series(0, $2.pages - 1, 16) AS g (page)
 CROSS JOIN LATERAL ({unforced(ARRAY[$3.oid,$3.of_sessions])}) AS u
