-- The statements that restore the links saved by a rollback to the rows of table $1, those on 16 pages of saved links
-- (some 1,500) per transaction, and drop the table of saved links; none if nothing was saved. A row that was linked again
-- keeps its session; a link whose row or session no longer exists is discarded.
--
-- A rollback that was interrupted before the column was dropped leaves the trigger that keeps the saved links up to date,
-- which is dropped first.
--
-- The saved links are deleted after they are restored: sessiondb.check_session() accepts them even if a membership has
-- ended since.
WITH
platform AS (
    SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, format('%I.sessions', n.nspname) AS sessions
      FROM pg_namespace AS n
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = $1
     WHERE n.nspname = current_setting('sessiondb.schema')
),
saved AS (
    SELECT format('%I.%I', n.nspname, c.relname) AS name,
           pg_relation_size(c.oid) / current_setting('block_size')::bigint AS pages,
           -- the same row, of the same user and on the same object, unless that was deleted
           (SELECT string_agg(
                       format(CASE
                                  WHEN a.attnum = ANY (k.conkey) THEN 't.%1$I %2$s r.%1$I'
                                  WHEN a.attname = 'user_id' THEN 'coalesce(t.%1$I %2$s r.%1$I, t.%1$I IS NULL AND r.%1$I IS NULL)'
                                  ELSE 'coalesce(t.%1$I %2$s r.%1$I, t.%1$I IS NULL)'
                              END, a.attname, ({equal(a.atttypid)})), ' AND ' ORDER BY a.attnum)
              FROM pg_attribute AS a
              JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = 'p'
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'session_id') AS same_row
      FROM pg_namespace AS n
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'saved_links_of_' || $1
     WHERE n.nspname = 'sessiondb'
)
SELECT s.statement, s.locks, NULL::name AS scans
  FROM (
        SELECT 1 AS turn, 0::bigint AS page,
               format('DO %L', format(
                   'BEGIN CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', %L); DROP TRIGGER zzz_sessiondb_save ON %s; END',
                   h.name, h.name)) AS statement,
               json_build_object($1, 'ACCESS EXCLUSIVE') AS locks
          FROM platform AS h
          JOIN pg_trigger AS t ON t.tgrelid = h.oid AND t.tgname = 'zzz_sessiondb_save'
        UNION ALL
        SELECT 2, b.page,
               format('DO %L', format(
                   E'BEGIN\n'
                   '    PERFORM FROM %1$s AS s WHERE s.id OPERATOR(pg_catalog.=) ANY (SELECT r.session_id FROM %2$s AS r WHERE %5$s) FOR KEY SHARE;\n'
                   '    UPDATE %3$s AS t SET session_id = r.session_id FROM %2$s AS r JOIN %1$s AS s ON s.id OPERATOR(pg_catalog.=) r.session_id\n'
                   '     WHERE %5$s AND %4$s AND t.session_id IS NULL;\n'
                   '    DELETE FROM %2$s AS r WHERE %5$s;\n'
                   'END',
                   h.sessions, v.name, h.name, v.same_row,
                   format('r.ctid OPERATOR(pg_catalog.>=) %L AND r.ctid OPERATOR(pg_catalog.<) %L', format('(%s,0)', b.page), format('(%s,0)', b.page + 16)))),
               json_build_object($1, 'ROW EXCLUSIVE', 'sessions', 'ROW SHARE')
          FROM saved AS v
         CROSS JOIN platform AS h
         CROSS JOIN LATERAL generate_series(0, v.pages - 1, 16) AS b (page)
        UNION ALL
        SELECT 3, 0, format('DROP TABLE %s', v.name), NULL
          FROM saved AS v
       ) AS s
 ORDER BY s.turn, s.page
