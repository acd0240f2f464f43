-- The statements that save the organisation and the course of each session, before its links are saved and again before the
-- foreign keys are dropped; save_link() does so of younger ones: a session that is created again with the id of a deleted one must not get the saved links of that.
-- What was saved of a session that has another organisation or course now is deleted first. None if session_id is not ours, or
-- where Citus distributes the tables.
--
-- Where there is no foreign key, rows may be linked to such a session.
WITH platform AS (
    SELECT n.oid, n.nspname, h.oid AS of_sessions, format('%I.sessions', n.nspname) AS sessions
      FROM pg_namespace AS n
      JOIN pg_class AS h ON h.relnamespace = n.oid AND h.relname = 'sessions'
     WHERE n.nspname = current_setting('sessiondb.schema')
       AND current_setting('sessiondb.citus', true) IS DISTINCT FROM 'distributed'
       AND EXISTS (SELECT FROM sessiondb.objects AS o WHERE o.kind = 'column' AND o.name = 'session_id' AND o.origin = 'created')
),
linked AS (
    SELECT h.oid, format('%I.%I', p.nspname, h.relname) AS name, h.relname, to_regclass(format('sessiondb.%I', 'saved_links_of_' || h.relname)) AS saved
      FROM platform AS p
      JOIN pg_class AS h ON h.relnamespace = p.oid AND h.relname IN ('enrollments', 'submissions')
)
SELECT s.statement, s.locks, NULL::name AS scans
  FROM platform AS p
 CROSS JOIN LATERAL (
        SELECT 1 AS turn, e.statement, json_build_object(l.relname, e.mode, 'sessions', e.mode) AS locks
          FROM linked AS l
         CROSS JOIN LATERAL ({unlink_replaced(l.oid, p.of_sessions, l.name, p.sessions)}) AS e
         WHERE EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = l.oid AND a.attname = 'session_id' AND NOT a.attisdropped)
           AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.contype = 'f' AND k.conrelid = l.oid AND k.confrelid = p.of_sessions)
        UNION ALL
        SELECT 2, format('DO %L', concat('BEGIN' || u.before, format(
                   E'BEGIN\n'
                   '    CALL sessiondb.lock_tables(''ACCESS SHARE'', %1$L);\n'
                   -- or one that was renamed would be a call of a function
                   '    PERFORM id, org_id, course_id FROM %1$s LIMIT 0;\n'
                   '    IF pg_catalog.to_regclass(''sessiondb.saved_links_of_sessions'') IS NULL THEN\n'
                   '        CREATE TABLE sessiondb.saved_links_of_sessions (session_id pg_catalog.uuid PRIMARY KEY, belongs_to pg_catalog.text NOT NULL);\n'
                   '        COMMENT ON TABLE sessiondb.saved_links_of_sessions IS ''The organisation and the course of each session before a rollback'';\n'
                   '        CALL sessiondb.unify_owners();\n'
                   '        CALL sessiondb.withdraw_default_grants();\n'
                   '        CALL sessiondb.protect_tables();\n'
                   '    END IF;\n'
                   '    %2$s;\n'
                   '    INSERT INTO sessiondb.saved_links_of_sessions (session_id, belongs_to)\n'
                   '    SELECT id, pg_catalog.concat(org_id, '' '', course_id) FROM %1$s ON CONFLICT (session_id) DO UPDATE SET belongs_to = EXCLUDED.belongs_to;\n'
                   'END',
                   p.sessions,
                   coalesce((SELECT string_agg(format(
                                 'DELETE FROM %s AS r USING sessiondb.saved_links_of_sessions AS k, %s AS s'
                                 ' WHERE r.session_id OPERATOR(pg_catalog.=) s.id AND k.session_id OPERATOR(pg_catalog.=) s.id'
                                 ' AND k.belongs_to OPERATOR(pg_catalog.<>) pg_catalog.concat(s.org_id, '' '', s.course_id)', l.saved, p.sessions), E';\n    ' ORDER BY l.relname)
                               FROM linked AS l WHERE l.saved IS NOT NULL), 'NULL')),
                   ';' || u.after || 'END')),
               json_build_object('sessions', CASE WHEN u.before IS NULL THEN 'ACCESS SHARE' ELSE 'ACCESS EXCLUSIVE' END)
          FROM ({unforced(ARRAY[p.of_sessions])}) AS u
       ) AS s
 ORDER BY s.turn, s.statement
