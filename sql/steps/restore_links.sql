-- The statements that restore the links saved by a rollback to the rows of table $1, those on 16 pages of saved links
-- (some 1,500) per transaction, and drop the table of saved links if it is empty then: one that VACUUM FULL rewrote
-- meanwhile has its rows on other pages. None if nothing was saved. A row that was linked again
-- keeps its session; a link whose row or session no longer exists is discarded, and one whose session has another
-- organisation or course than when it was saved: it may have been created again with the same id. How many
-- are discarded is said, except on Citus.
--
-- The saved links are restored even if a membership has ended since: sessiondb.check_session() accepts what these statements write.
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
           -- a row t that was noted, of any user; where the table has another key since, rows of several users may have this one
           concat(({same_key(c.oid, 't')}), CASE WHEN ({shared_key(c.oid, h.oid)}) IS NOT NULL THEN (
               SELECT ' AND (r.user_id IS NULL OR t.user_id IS NULL OR t.user_id OPERATOR(pg_catalog.=) r.user_id)' FROM pg_attribute AS a
                WHERE a.attrelid = c.oid AND a.attname = 'user_id' AND NOT a.attisdropped) END) AS is_noted,
           -- one of which only the user is known, or nothing
           ({noted_without_key(c.oid)}) AS is_noted_without_key,
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
        -- while it holds no row; what is noted until then is spent with the pages
        SELECT 1, 1, format('DO %L', ({spend_notes($1, v, h)})), NULL
          FROM saved AS v
         CROSS JOIN platform AS h
         WHERE v.manager IS NULL AND h.manager IS NULL
        UNION ALL
        SELECT 2, b.page, b.statement, b.locks
          FROM saved AS v
         CROSS JOIN platform AS h
         CROSS JOIN LATERAL (
{restore_pages($1, v, h)}
               ) AS b
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
        SELECT 2, b.place, b.statement, b.locks
          FROM saved AS v
         CROSS JOIN platform AS h
         CROSS JOIN LATERAL (
{restore_slices($1, v, h)}
               ) AS b
         WHERE h.manager = 'distributed'
        UNION ALL
        SELECT 3, 0,
               format('DO %L', format(
                   E'BEGIN\n'
                   '    IF EXISTS (SELECT FROM %1$s WHERE session_id IS NOT NULL) THEN\n'
                   '        RAISE EXCEPTION USING ERRCODE = ''object_not_in_prerequisite_state'', MESSAGE = %2$L, HINT = ''Run '
                   'apply again, which restores the others.'';\n'
                   '    END IF;\n'
                   'END', v.name, format('table %s was rewritten while its links were restored, and some of them are not', v.name))),
               NULL
          FROM saved AS v
         CROSS JOIN platform AS h
         WHERE h.manager IS NULL
        UNION ALL
        SELECT 3, 1,
               format('DO %L', format(
                   'BEGIN CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', ARRAY[%1$L]::pg_catalog.regclass[]); DROP TRIGGER IF '
                   'EXISTS zzz_sessiondb_save ON %1$s; DROP TRIGGER IF EXISTS zzz_sessiondb_save_columns ON %1$s; DROP TABLE IF EXISTS %2$s; END',
                   h.name, 'sessiondb.changed_rows_of_' || $1)),
               json_build_object($1, 'ACCESS EXCLUSIVE')
          FROM platform AS h
         WHERE EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = h.oid AND t.tgname = 'zzz_sessiondb_save')
            OR to_regclass('sessiondb.changed_rows_of_' || $1) IS NOT NULL
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
