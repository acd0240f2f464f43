-- Whether rows of {table} are linked to deleted sessions; only if session_id is the platform's own. Not known where row level security
-- may hide sessions, for which see check row_security; the foreign key finds out.
SELECT 'orphaned_links' AS "check", 'error' AS level,
       '{table}.session_id' AS object,
       'Rows of {table} are linked to sessions that are gone.' AS detail,
       -- who may see no row with that setting would have an error
       pg_catalog.regexp_replace(pg_catalog.format('Unlink them: SET row_security TO off; UPDATE %1$I.{table} AS r '
                                                   'SET session_id = NULL WHERE r.session_id IS NOT NULL'
                         ' AND NOT EXISTS (SELECT FROM %1$I.sessions AS s WHERE s.id OPERATOR(pg_catalog.=) r.session_id); RESET row_security',
                         pg_catalog.current_setting('sessiondb.schema')),
                         CASE WHEN pg_catalog.row_security_active('platform.{table}'::pg_catalog.regclass)
                              THEN '(SET|; RESET) row_security( TO off; )?' ELSE '$^' END, '', 'g') AS fix
 WHERE NOT pg_catalog.row_security_active('platform.sessions'::pg_catalog.regclass)
   AND EXISTS (
        SELECT 1 FROM (SELECT session_id AS link FROM platform.{table} WHERE session_id IS NOT NULL) AS r
         WHERE NOT EXISTS (SELECT FROM platform.sessions WHERE id OPERATOR(pg_catalog.=) r.link))
