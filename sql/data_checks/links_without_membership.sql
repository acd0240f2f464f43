-- Rows of {table} are linked to sessions of the organisations of their users; a membership may have ended since.
SELECT 'links_without_membership' AS "check", 'warning' AS level, '{table}' AS object,
       pg_catalog.format(CASE f.rows WHEN 1 THEN '%s row of {table} is' ELSE '%s rows of {table} are' END || ' linked to a session of an organisation that the user is not a member of, for example %s.', f.rows, f.examples) AS detail,
       coalesce('Make the users members, for instance: ' || sessiondb.org_command('member', f.pair[1], f.pair[2]) || '; or unlink', 'Unlink')
           || pg_catalog.format(' the rows: UPDATE %1$I.{table} AS r SET session_id = NULL FROM %1$I.sessions AS s WHERE s.id = r.session_id AND NOT EXISTS (SELECT FROM %1$I.org_members AS m WHERE m.org_id = s.org_id AND m.user_id = r.user_id)',
                         i.platform_schema) AS fix
  FROM (
        SELECT pg_catalog.count(*) AS rows,
               pg_catalog.array_to_string((pg_catalog.array_agg(x.example) FILTER (WHERE x.place <= {examples})), ', ') AS examples,
               pg_catalog.min(x.pair) FILTER (WHERE x.pair[2] IS NOT NULL) AS pair
          FROM (
                SELECT pg_catalog.row_number() OVER () AS place, ARRAY[s.org_id, r.user_id] AS pair,
                       CASE WHEN pg_catalog.row_number() OVER () <= {examples}
                            THEN coalesce(pg_catalog.to_jsonb(r.*) ->> 'id'::text, 'of user ' || r.user_id::text) END AS example
                  FROM {table} AS r
                  JOIN sessions AS s ON s.id = r.session_id
                 WHERE NOT EXISTS (SELECT FROM org_members AS m WHERE m.org_id = s.org_id AND m.user_id = r.user_id)
               ) AS x
       ) AS f
 CROSS JOIN sessiondb.installation AS i
 WHERE f.rows > 0
