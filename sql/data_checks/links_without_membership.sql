-- Rows of {table} are linked to sessions of the organisations of their users; a membership may have ended since.
SELECT 'links_without_membership' AS "check", 'warning' AS level, '{table}' AS object,
       pg_catalog.format(CASE WHEN f.rows OPERATOR(pg_catalog.=) 1 THEN '%s row of {table} is' ELSE '%s rows of {table} are' END OPERATOR(pg_catalog.||) ' linked to a session of an organisation that the user is not a member of, for example %s.', f.rows, f.examples) AS detail,
       coalesce('Make the users members, for instance: ' OPERATOR(pg_catalog.||) sessiondb.org_command('member', f.pair[1], f.pair[2]) OPERATOR(pg_catalog.||) '; or unlink', 'Unlink')
           OPERATOR(pg_catalog.||) pg_catalog.format(' the rows: UPDATE %1$I.{table} AS r SET session_id = NULL FROM %1$I.sessions AS s WHERE s.id = r.session_id AND NOT EXISTS (SELECT FROM %1$I.org_members AS m WHERE m.org_id = s.org_id AND m.user_id = r.user_id)',
                         i.platform_schema) AS fix
  FROM (
        SELECT pg_catalog.count(*) AS rows,
               pg_catalog.array_to_string((pg_catalog.array_agg(x.example) FILTER (WHERE x.place OPERATOR(pg_catalog.<=) {examples})), ', ') AS examples,
               pg_catalog.min(x.pair) FILTER (WHERE x.pair[2] IS NOT NULL) AS pair
          FROM (
                SELECT pg_catalog.row_number() OVER () AS place, ARRAY[s.org_id, r.user_id] AS pair,
                       CASE WHEN pg_catalog.row_number() OVER () OPERATOR(pg_catalog.<=) {examples}
                            THEN coalesce(pg_catalog.to_jsonb(r.*) OPERATOR(pg_catalog.->>) 'id'::pg_catalog.text, 'of user ' OPERATOR(pg_catalog.||) r.user_id::pg_catalog.text) END AS example
                  FROM platform.{table} AS r
                  JOIN platform.sessions AS s ON s.id OPERATOR(pg_catalog.=) r.session_id
                 WHERE NOT EXISTS (SELECT FROM platform.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id AND m.user_id OPERATOR(pg_catalog.=) r.user_id)
               ) AS x
       ) AS f
 CROSS JOIN sessiondb.installation AS i
 WHERE f.rows OPERATOR(pg_catalog.>) 0
