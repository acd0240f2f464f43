-- Rows of {table} are linked to sessions of organisations of their users; a membership may have ended since.
-- must see every row of: org_members
SELECT 'links_without_membership' AS "check", 'warning' AS level, '{table}' AS object,
       pg_catalog.format(CASE WHEN f.rows OPERATOR(pg_catalog.=) 1 THEN '%s row of {table} is' ELSE '%s rows of {table} are' END
                         OPERATOR(pg_catalog.||) ' linked to a session of an organisation that the user is not a member of, for '
                                                 'example %s.', f.rows, e.examples) AS detail,
       pg_catalog.concat_ws(E'\n',
           -- who may see no row with that setting would have an error
           pg_catalog.regexp_replace(pg_catalog.format('Unlink the rows: SET row_security TO off; UPDATE %1$I.{table} AS r '
                                                       'SET session_id = NULL FROM %1$I.sessions AS s '
                                                       'WHERE s.id OPERATOR(pg_catalog.=) r.session_id '
                                                       'AND NOT EXISTS (SELECT FROM %1$I.org_members AS m '
                                                       'WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id AND m.user_id '
                                                       'OPERATOR(pg_catalog.=) r.user_id); RESET row_security',
                             i.platform_schema),
                             CASE WHEN pg_catalog.row_security_active('platform.{table}'::pg_catalog.regclass)
                                  THEN '(SET|; RESET) row_security( TO off; )?' ELSE '$^' END, '', 'g'),
           'Or, if the users belong there, make them members, for instance: '
               OPERATOR(pg_catalog.||) pg_catalog.replace(sessiondb.org_command('member', f.pair[1], f.pair[2]), E'\n', '\n')) AS fix
  FROM (
        SELECT pg_catalog.sum(x.rows) AS rows,
               pg_catalog.min(ARRAY[x.org_id, x.user_id]) FILTER (WHERE x.user_id IS NOT NULL) AS pair,
               pg_catalog.jsonb_agg(x.*) FILTER (WHERE x.place OPERATOR(pg_catalog.<=) {examples}) AS groups
          FROM (
                SELECT r.*, s.org_id, pg_catalog.row_number() OVER () AS place
                  FROM {grouped} AS r
                  JOIN platform.sessions AS s ON s.id OPERATOR(pg_catalog.=) r.session_id
                 WHERE NOT EXISTS (SELECT FROM platform.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id
                                   AND m.user_id OPERATOR(pg_catalog.=) r.user_id)
               ) AS x
       ) AS f
 CROSS JOIN LATERAL (
{linked_examples()}
       ) AS e
 CROSS JOIN sessiondb.installation AS i
 WHERE f.rows OPERATOR(pg_catalog.>) 0
