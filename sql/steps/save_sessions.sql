-- The statement that saves the organisation and the course of each session, before a session can be deleted without its
-- links: a session that is created again with the id of a deleted one must not get the saved links of that. None if no links
-- were saved, or where Citus distributes the tables.
SELECT format('DO %L', concat('BEGIN' || u.before, format(
           E'BEGIN\n'
           '    CALL sessiondb.lock_tables(''ACCESS SHARE'', %2$L);\n'
           '    IF pg_catalog.to_regclass(''sessiondb.saved_links_of_sessions'') IS NULL THEN\n'
           '        CREATE TABLE sessiondb.saved_links_of_sessions (session_id pg_catalog.uuid PRIMARY KEY, belongs_to pg_catalog.text NOT NULL);\n'
           '        COMMENT ON TABLE sessiondb.saved_links_of_sessions IS ''The organisation and the course of each session before a rollback'';\n'
           '        CALL sessiondb.withdraw_default_grants();\n'
           '        CALL sessiondb.protect_tables();\n'
           '    END IF;\n'
           '    INSERT INTO sessiondb.saved_links_of_sessions (session_id, belongs_to)\n'
           -- without their table, or one that was renamed would be a call of a function
           '    SELECT id, pg_catalog.concat(org_id, '' '', course_id) FROM %1$I.sessions ON CONFLICT (session_id) DO UPDATE SET belongs_to = EXCLUDED.belongs_to;\n'
           'END', n.nspname, format('%I.sessions', n.nspname)), ';' || u.after || 'END')) AS statement,
       json_build_object('sessions', CASE WHEN u.before IS NULL THEN 'ACCESS SHARE' ELSE 'ACCESS EXCLUSIVE' END) AS locks,
       NULL::name AS scans
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'sessions'
 CROSS JOIN LATERAL ({unforced(ARRAY[c.oid])}) AS u
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND current_setting('sessiondb.citus', true) IS DISTINCT FROM 'distributed'
   AND EXISTS (
        SELECT FROM pg_class AS c
         WHERE c.relnamespace = to_regnamespace('sessiondb')
           AND c.relname IN ('saved_links_of_enrollments', 'saved_links_of_submissions'))
