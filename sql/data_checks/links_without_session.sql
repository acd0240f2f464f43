-- No row of {table} is linked to a session that does not exist, which only a restore or replication can write, or a deletion while
-- foreign keys are turned off. A session that is created later with its id would get the row.
-- must see every row of: sessions
SELECT 'links_without_session' AS "check", 'error' AS level, '{table}' AS object,
       pg_catalog.format(CASE WHEN f.rows OPERATOR(pg_catalog.=) 1 THEN '%s row of {table} is' ELSE '%s rows of {table} are' END
                         OPERATOR(pg_catalog.||) ' linked to a session that does not exist, for example %s.', f.rows, e.examples) AS detail,
       -- who may see no row with that setting would have an error
       pg_catalog.regexp_replace(pg_catalog.format(E'Unlink them: SET row_security TO off; UPDATE %1$I.{table} AS r '
                                                    'SET session_id = NULL WHERE r.session_id IS NOT NULL '
                                                    'AND NOT EXISTS (SELECT FROM %1$I.sessions AS s '
                                                    'WHERE s.id OPERATOR(pg_catalog.=) r.session_id); RESET row_security\nThen: sessiondb backfill',
                         i.platform_schema),
                         CASE WHEN pg_catalog.row_security_active('platform.{table}'::pg_catalog.regclass)
                              THEN '(SET|; RESET) row_security( TO off; )?' ELSE '$^' END, '', 'g') AS fix
  FROM (
        SELECT pg_catalog.sum(x.rows) AS rows,
               pg_catalog.jsonb_agg(x.*) FILTER (WHERE x.place OPERATOR(pg_catalog.<=) {examples}) AS groups
          FROM (
                SELECT r.*, pg_catalog.row_number() OVER () AS place
                  FROM {grouped} AS r
                 WHERE r.session_id IS NOT NULL
                   AND NOT EXISTS (SELECT FROM platform.sessions AS s WHERE s.id OPERATOR(pg_catalog.=) r.session_id)
               ) AS x
       ) AS f
 CROSS JOIN LATERAL (
{linked_examples()}
       ) AS e
 CROSS JOIN sessiondb.installation AS i
 WHERE f.rows OPERATOR(pg_catalog.>) 0
