-- The statements that restore the links saved by a rollback to the rows of table $1, those on 16 pages of saved links
-- (some 1,500) per transaction, and drop the table of saved links if it is empty then: one that VACUUM FULL rewrote
-- meanwhile has its rows on other pages. None if nothing was saved. A row that was linked again
-- keeps its session; a link whose row or session no longer exists is discarded, and one whose session has another
-- organisation or course than when it was saved: it may have been created again with the same id. How many
-- are discarded is said, except on Citus.
--
-- If the platform's table is distributed, the links are split by the first digit of user_id, since the pages are
-- elsewhere, and the sessions are named: no statement of Citus that locks may read what another one finds.
--
-- Each statement first reads the columns without their table, because one that was renamed would else be a call of a function,
-- and raises an error if a trigger or rule of the platform kept a row from being linked.
--
-- Longer than a screen: a branch for each statement.
--
-- The saved links are deleted after they are restored: sessiondb.check_session() accepts them even if a membership has
-- ended since, and takes those itself.
WITH
platform AS (
    SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, format('%I.sessions', n.nspname) AS sessions,
           nullif(current_setting('sessiondb.citus', true), '') AS manager,
           format('%I.sessions', n.nspname)::regclass::oid AS of_sessions
      FROM pg_namespace AS n
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = $1
     WHERE n.nspname = current_setting('sessiondb.schema')
),
saved AS (
    SELECT format('%I.%I', n.nspname, c.relname) AS name,
           pg_relation_size(c.oid) / current_setting('block_size')::bigint AS pages, ({citus_manager(c.oid)}) AS manager,
           ({same_row(c.oid, 't', 't')}) AS same_row,
           ({shared_key(c.oid, h.oid)}) AS shared_key,
           (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
              FROM pg_attribute AS a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'session_belongs_to') AS columns,
           -- not if sessiondb 0.1.0 saved them
           EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'session_belongs_to') AS has_belongs_to
      FROM pg_namespace AS n
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'saved_links_of_' || $1
     CROSS JOIN platform AS h
     WHERE n.nspname = 'sessiondb'
)
SELECT s.statement, s.locks, NULL::name AS scans
  FROM (
        SELECT 1 AS turn, 0::bigint AS page, g.statement, g.locks
          FROM (
{guard_saved_links($1)}
               ) AS g
        UNION ALL
        SELECT 2, b.page,
               format('DO %L', concat('BEGIN' || u.before, format(
                   E'DECLARE\n'
                   '    v_restored pg_catalog.tid[];\n'
                   '    v_before pg_catalog.tid[];\n'
                   '    v_versions pg_catalog.text[];\n'
                   '    v_rows pg_catalog.int8;\n'
                   'BEGIN\n'
                   '    CALL sessiondb.lock_tables(''ROW EXCLUSIVE'', ARRAY[%3$L, %1$L]::pg_catalog.regclass[]);\n'
                   '    CALL sessiondb.hold_tables();\n'  -- check_session() reads others, too
                   '    CALL sessiondb.require_tables();\n'
                   '    %10$s;\n'
                   '    PERFORM %7$s FROM %3$s LIMIT 0;\n'
                   '    PERFORM org_id, course_id FROM %1$s WHERE id OPERATOR(pg_catalog.=) ANY (SELECT r.session_id FROM %2$s AS r WHERE %5$s) FOR KEY SHARE;\n'
                   -- only rows that are locked here: one that is waited for later could have given up its link meanwhile
                   '    SELECT pg_catalog.array_agg(l.row_id), pg_catalog.array_agg(l.version) INTO v_before, v_versions\n'
                   '      FROM (SELECT t.ctid AS row_id, pg_catalog.concat(t.tableoid, t.ctid, t.xmin) AS version\n'
                   '              FROM %3$s AS t JOIN %2$s AS r ON %5$s AND %4$s WHERE t.session_id IS NULL FOR NO KEY UPDATE OF t) AS l;\n'
                   -- the write may give the row another version, so that it is not found again
                   '    SELECT pg_catalog.array_agg(r.ctid), pg_catalog.array_agg(t.ctid), pg_catalog.array_agg(pg_catalog.concat(t.tableoid, t.ctid, t.xmin))\n'
                   '      INTO v_restored, v_before, v_versions\n'
                   '      FROM %3$s AS t JOIN %2$s AS r ON %5$s AND %4$s JOIN %1$s AS s ON s.id OPERATOR(pg_catalog.=) r.session_id%6$s\n'
                   '     WHERE t.session_id IS NULL AND t.ctid OPERATOR(pg_catalog.=) ANY (v_before)\n'
                   '       AND pg_catalog.concat(t.tableoid, t.ctid, t.xmin) OPERATOR(pg_catalog.=) ANY (v_versions);\n'
                   -- no notice of the platform's triggers, for each of which the server would wait if the client is suspended
                   '    SET LOCAL client_min_messages TO error;\n'
                   '    UPDATE %3$s AS t SET session_id = r.session_id FROM %2$s AS r JOIN %1$s AS s ON s.id OPERATOR(pg_catalog.=) r.session_id%6$s\n'
                   '     WHERE %5$s AND %4$s AND t.session_id IS NULL AND t.ctid OPERATOR(pg_catalog.=) ANY (v_before)\n'
                   '       AND pg_catalog.concat(t.tableoid, t.ctid, t.xmin) OPERATOR(pg_catalog.=) ANY (v_versions);\n'
                   '    SET LOCAL client_min_messages TO notice;\n'
                   -- check_session() may have taken the saved link of such a row
                   '    IF EXISTS (SELECT FROM %3$s AS t WHERE t.ctid OPERATOR(pg_catalog.=) ANY (v_before) AND t.session_id IS NULL\n'
                   '                  AND pg_catalog.concat(t.tableoid, t.ctid, t.xmin) OPERATOR(pg_catalog.=) ANY (v_versions)) THEN\n'
                   '        RAISE EXCEPTION USING ERRCODE = ''object_not_in_prerequisite_state'', MESSAGE = %8$L, HINT = %9$L;\n'
                   '    END IF;\n'
                   '    DELETE FROM %2$s AS r USING %3$s AS t WHERE %5$s AND %4$s AND t.session_id IS NOT NULL;\n'
                   '    DELETE FROM %2$s AS r WHERE r.ctid OPERATOR(pg_catalog.=) ANY (v_restored);\n'
                   '    v_rows := (SELECT pg_catalog.count(r.session_id) FROM %2$s AS r WHERE %5$s);\n'
                   '    DELETE FROM %2$s AS r WHERE %5$s;\n'
                   '    IF v_rows OPERATOR(pg_catalog.>) 0 THEN\n'
                   '        RAISE NOTICE ''saved links of %% that are discarded, because their row or session is gone or another one now: %%'', %3$L, v_rows;\n'
                   '    END IF;\n'
                   'END',
                   h.sessions, v.name, h.name,
                   v.same_row || CASE WHEN v.shared_key IS NULL THEN '' ELSE format(
                       ' AND NOT EXISTS (SELECT FROM %s AS o WHERE %s AND (o.tableoid, o.ctid) OPERATOR(pg_catalog.<>) (t.tableoid, t.ctid))', h.name, v.shared_key) END,
                   format('r.ctid OPERATOR(pg_catalog.>=) %L AND r.ctid OPERATOR(pg_catalog.<) %L', format('(%s,0)', b.page), format('(%s,0)', b.page + 16)),
                   CASE WHEN v.has_belongs_to THEN
                       E'\n      AND r.session_belongs_to OPERATOR(pg_catalog.=) ANY (ARRAY[pg_catalog.concat(s.org_id, '' '', s.course_id), ''?''])' END,
                   v.columns,
                   format('rows of table %s did not get their saved links back: another session wrote them at the same time, or a trigger or rule kept them from it', h.name),
                   format('Run apply again. If it stops here again, disable the trigger or rule first: ALTER TABLE %s DISABLE TRIGGER ... (or RULE ...)', h.name), u.guard),
                   ';' || u.after || 'END')),
               json_build_object($1, CASE WHEN u.before IS NULL THEN 'ROW EXCLUSIVE' ELSE 'ACCESS EXCLUSIVE' END,
                                 'sessions', CASE WHEN u.before IS NULL THEN 'ROW EXCLUSIVE' ELSE 'ACCESS EXCLUSIVE' END)
          FROM saved AS v
         CROSS JOIN platform AS h
         CROSS JOIN LATERAL ({unforced(ARRAY[h.oid,h.of_sessions])}) AS u
         CROSS JOIN LATERAL generate_series(0, v.pages - 1, 16) AS b (page)
         WHERE v.manager IS NULL AND h.manager IS NULL
        UNION ALL
        SELECT 1, 1, format('CALL sessiondb.distribute_saved_links(%L)', $1), NULL
          FROM saved AS v
         CROSS JOIN platform AS h
         WHERE h.manager = 'distributed' AND v.manager IS NULL
        UNION ALL
        SELECT 1, 1,
               format('DO %L', format(
                   'BEGIN RAISE EXCEPTION USING ERRCODE = ''object_not_in_prerequisite_state'', MESSAGE = %L, HINT = %L; END',
                   format('table %s is distributed, and the rows whose links it keeps are not', v.name),
                   format('Run first: SELECT undistribute_table(%L)', v.name))),
               NULL
          FROM saved AS v
         CROSS JOIN platform AS h
         WHERE h.manager IS NULL AND v.manager IS NOT NULL
        UNION ALL
        SELECT 2, d.place,
               format('DO %L', format(
                   E'DECLARE\n'
                   '    v_id pg_catalog.uuid;\n'
                   '    v_saved pg_catalog.uuid[] := ARRAY(SELECT DISTINCT r.session_id FROM %2$s AS r WHERE r.session_id IS NOT NULL AND %5$s);\n'
                   '    v_locked pg_catalog.uuid[];\n'
                   'BEGIN\n'
                   '    PERFORM %6$s FROM %3$s LIMIT 0;\n'
                   '    FOR v_id IN SELECT id FROM %1$s WHERE id OPERATOR(pg_catalog.=) ANY (v_saved) FOR KEY SHARE LOOP\n'
                   '        v_locked := pg_catalog.array_append(v_locked, v_id);\n'
                   '    END LOOP;\n'
                   '    UPDATE %3$s AS t SET session_id = r.session_id FROM %2$s AS r\n'
                   '     WHERE %5$s AND %4$s AND t.user_id OPERATOR(pg_catalog.=) r.user_id AND t.session_id IS NULL\n'
                   '       AND r.session_id OPERATOR(pg_catalog.=) ANY (v_locked);\n'
                   '    DELETE FROM %2$s AS r WHERE %5$s;\n'
                   'END',
                   h.sessions, v.name, h.name, v.same_row, d.condition, v.columns)),
               json_build_object($1, 'ROW EXCLUSIVE', 'sessions', 'ROW SHARE')
          FROM saved AS v
         CROSS JOIN platform AS h
         CROSS JOIN ({user_slices('r')}) AS d
         WHERE h.manager = 'distributed'
        UNION ALL
        SELECT 3, 0,
               format('DO %L', format(
                   E'BEGIN\n'
                   '    IF EXISTS (SELECT FROM %1$s WHERE session_id IS NOT NULL) THEN\n'
                   '        RAISE EXCEPTION USING ERRCODE = ''object_not_in_prerequisite_state'', MESSAGE = %2$L, HINT = ''Run apply again, which restores the others.'';\n'
                   '    END IF;\n'
                   'END', v.name, format('table %s was rewritten while its links were restored, and some of them are not', v.name))),
               NULL
          FROM saved AS v
         CROSS JOIN platform AS h
         WHERE h.manager IS NULL
        UNION ALL
        SELECT 3, 1,
               format('DO %L', format(
                   'BEGIN CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', ARRAY[%L]::pg_catalog.regclass[]); DROP TRIGGER IF EXISTS zzz_sessiondb_save ON %s; END',
                   h.name, h.name)),
               json_build_object($1, 'ACCESS EXCLUSIVE')
          FROM platform AS h
         WHERE EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = h.oid AND t.tgname = 'zzz_sessiondb_save')
            OR EXISTS (
                SELECT FROM (
{guard_saved_links($1)}
                       ) AS g)
        UNION ALL
        SELECT 3, 2, format('DROP TABLE %s', v.name), NULL
          FROM saved AS v
         WHERE NOT EXISTS (SELECT FROM platform AS h WHERE h.manager <> 'distributed')
       ) AS s
 ORDER BY s.turn, s.page
