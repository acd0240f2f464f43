-- Whether rows of {table} are linked to deleted sessions; only if session_id is the platform's own. Not known where row level security
-- may hide sessions, for which see check row_security; the foreign key finds out.
SELECT 'orphaned_links' AS "check", 'error' AS level,
       '{table}.session_id' AS object,
       'Rows of {table} are linked to sessions that are gone.' AS detail,
       pg_catalog.format('Unlink them: %2$sUPDATE %1$I.{table} AS r SET session_id = NULL WHERE r.session_id IS NOT NULL'
                         ' AND NOT EXISTS (SELECT FROM %1$I.sessions AS s WHERE s.id OPERATOR(pg_catalog.=) r.session_id)%3$s',
                         pg_catalog.current_setting('sessiondb.schema'), w.before, w.after) AS fix
  FROM (
{row_security_off()}
       ) AS w
 WHERE NOT pg_catalog.row_security_active('platform.sessions'::pg_catalog.regclass)
   AND EXISTS (
        SELECT 1 FROM (SELECT session_id AS link FROM platform.{table} WHERE session_id IS NOT NULL) AS r
         WHERE NOT EXISTS (SELECT FROM platform.sessions WHERE id OPERATOR(pg_catalog.=) r.link))
