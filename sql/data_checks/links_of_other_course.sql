-- No row of {table} is linked to a session of another course. A row that leads to no course any more keeps its link.
SELECT 'links_of_other_course' AS "check", 'error' AS level, '{table}' AS object,
       pg_catalog.format(CASE WHEN f.rows OPERATOR(pg_catalog.=) 1 THEN '%s row of {table} is' ELSE '%s rows of {table} are' END OPERATOR(pg_catalog.||) ' linked to a session of another course, for example %s.', f.rows, f.examples) AS detail,
       pg_catalog.format('Unlink them, then run sessiondb backfill: UPDATE %1$I.{table} AS r SET session_id = NULL FROM %1$I.sessions AS s WHERE s.id = r.session_id AND s.course_id <> %2$s',
                         i.platform_schema, CASE WHEN {by_enrollment} THEN sessiondb.course_expression('r') ELSE 'r.course_id' END) AS fix
  FROM (
        SELECT pg_catalog.count(*) AS rows,
               pg_catalog.array_to_string((pg_catalog.array_agg(x.example) FILTER (WHERE x.place OPERATOR(pg_catalog.<=) {examples})), ', ') AS examples
          FROM (
                SELECT pg_catalog.row_number() OVER () AS place,
                       CASE WHEN pg_catalog.row_number() OVER () OPERATOR(pg_catalog.<=) {examples}
                            THEN coalesce(pg_catalog.to_jsonb(r.*) OPERATOR(pg_catalog.->>) 'id'::pg_catalog.text, 'of user ' OPERATOR(pg_catalog.||) r.user_id::pg_catalog.text) END AS example
                  FROM platform.{table} AS r
                  JOIN platform.sessions AS s ON s.id OPERATOR(pg_catalog.=) r.session_id
                 WHERE s.course_id OPERATOR(pg_catalog.<>) {course}
               ) AS x
       ) AS f
 CROSS JOIN sessiondb.installation AS i
 WHERE f.rows OPERATOR(pg_catalog.>) 0
