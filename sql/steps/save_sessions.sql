-- The statement that saves the organisation and the course of each session, before a session can be deleted without its
-- links: a session that is created again with the id of a deleted one must not get the saved links of that. None if no links
-- were saved, or where Citus distributes the tables.
SELECT format('DO %L', format(
           E'BEGIN\n'
           '    IF pg_catalog.to_regclass(''sessiondb.saved_links_of_sessions'') IS NULL THEN\n'
           '        CREATE TABLE sessiondb.saved_links_of_sessions (session_id pg_catalog.uuid PRIMARY KEY, belongs_to pg_catalog.text NOT NULL);\n'
           '        COMMENT ON TABLE sessiondb.saved_links_of_sessions IS ''The organisation and the course of each session before a rollback'';\n'
           '        CALL sessiondb.withdraw_default_grants();\n'
           '    END IF;\n'
           '    INSERT INTO sessiondb.saved_links_of_sessions (session_id, belongs_to)\n'
           '    SELECT id, pg_catalog.concat(org_id, '' '', course_id) FROM %I.sessions ON CONFLICT DO NOTHING;\n'
           'END', current_setting('sessiondb.schema'))) AS statement,
       json_build_object('sessions', 'ACCESS SHARE') AS locks,
       NULL::name AS scans
 WHERE current_setting('sessiondb.citus', true) IS DISTINCT FROM 'distributed'
   AND EXISTS (
        SELECT FROM pg_class AS c
         WHERE c.relnamespace = to_regnamespace('sessiondb')
           AND c.relname IN ('saved_links_of_enrollments', 'saved_links_of_submissions'))
