-- No row of {table} is linked to a session of another course. A row that leads to no course any more keeps its link.
SELECT 'links_of_other_course' AS "check", 'error' AS level, '{table}' AS object,
       pg_catalog.format(CASE f.rows WHEN 1 THEN '%s row of {table} is' ELSE '%s rows of {table} are' END || ' linked to a session of another course, for example %s.', f.rows, f.examples) AS detail,
       pg_catalog.format('Unlink them, then run sessiondb backfill: UPDATE %1$I.{table} AS r SET session_id = NULL FROM %1$I.sessions AS s WHERE s.id = r.session_id AND s.course_id <> %2$s',
                         i.platform_schema, CASE '{table}' WHEN 'enrollments' THEN 'r.course_id' ELSE pg_catalog.array_to_string(i.course_pieces, 'r') END) AS fix
  FROM (
        SELECT pg_catalog.count(*) AS rows,
               pg_catalog.array_to_string((pg_catalog.array_agg(x.example) FILTER (WHERE x.place <= {examples})), ', ') AS examples
          FROM (
                SELECT pg_catalog.row_number() OVER () AS place,
                       CASE WHEN pg_catalog.row_number() OVER () <= {examples}
                            THEN coalesce(pg_catalog.to_jsonb(r.*) ->> 'id'::text, 'of user ' || r.user_id::text) END AS example
                  FROM {table} AS r
                  JOIN sessions AS s ON s.id = r.session_id
                 WHERE s.course_id <> {course}
               ) AS x
       ) AS f
 CROSS JOIN sessiondb.installation AS i
 WHERE f.rows > 0
