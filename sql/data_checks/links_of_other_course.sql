-- No row is linked to a session of another course. A row that leads to no course any more keeps its link.
SELECT 'links_of_other_course' AS "check", 'error' AS level, f.table_name AS object,
       pg_catalog.format(CASE f.rows WHEN 1 THEN '%s row of %s is' ELSE '%s rows of %s are' END || ' linked to a session of another course, for example %s.', f.rows, f.table_name, f.examples) AS detail,
       pg_catalog.format('Unlink them, then run sessiondb backfill: UPDATE %1$I.%2$I AS r SET session_id = NULL FROM %1$I.sessions AS s WHERE s.id = r.session_id AND s.course_id <> %3$s',
                         i.platform_schema, f.table_name,
                         CASE f.table_name WHEN 'enrollments' THEN 'r.course_id' ELSE pg_catalog.array_to_string(i.course_pieces, 'r') END) AS fix
  FROM (
        SELECT 'enrollments' AS table_name, pg_catalog.count(*) AS rows,
               pg_catalog.array_to_string((pg_catalog.array_agg(x.example) FILTER (WHERE x.place <= {examples})), ', ') AS examples
          FROM (
                SELECT pg_catalog.row_number() OVER () AS place,
                       CASE WHEN pg_catalog.row_number() OVER () <= {examples}
                            THEN coalesce(pg_catalog.to_jsonb(r.*) ->> 'id'::text, 'of user ' || r.user_id::text) END AS example
                  FROM enrollments AS r
                  JOIN sessions AS s ON s.id = r.session_id
                 WHERE s.course_id <> r.course_id
               ) AS x
        UNION ALL
        SELECT 'submissions' AS table_name, pg_catalog.count(*) AS rows,
               pg_catalog.array_to_string((pg_catalog.array_agg(x.example) FILTER (WHERE x.place <= {examples})), ', ') AS examples
          FROM (
                SELECT pg_catalog.row_number() OVER () AS place,
                       CASE WHEN pg_catalog.row_number() OVER () <= {examples}
                            THEN coalesce(pg_catalog.to_jsonb(r.*) ->> 'id'::text, 'of user ' || r.user_id::text) END AS example
                  FROM submissions AS r
                  JOIN sessions AS s ON s.id = r.session_id
                 WHERE s.course_id <> course_of(r)
               ) AS x
       ) AS f
 CROSS JOIN sessiondb.installation AS i
 WHERE f.rows > 0
 ORDER BY f.table_name
