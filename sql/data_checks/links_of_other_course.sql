-- No row is linked to a session of another course.
SELECT 'links_of_other_course' AS "check", 'error' AS level, f.table_name AS object,
       pg_catalog.format('%s rows of %s are linked to a session of another course, for example %s.', f.rows, f.table_name, f.examples) AS detail,
       pg_catalog.format('Unlink them, then run sessiondb backfill: UPDATE %s SET session_id = NULL WHERE id = ...', f.table_name) AS fix
  FROM (
        SELECT 'enrollments' AS table_name, pg_catalog.count(*) AS rows,
               pg_catalog.array_to_string((pg_catalog.array_agg(x.example) FILTER (WHERE x.place <= {examples})), ', ') AS examples
          FROM (
                SELECT pg_catalog.row_number() OVER () AS place,
                       CASE WHEN pg_catalog.row_number() OVER () <= {examples}
                            THEN coalesce(pg_catalog.to_jsonb(r) ->> 'id'::text, 'of user ' || r.user_id::text) END AS example
                  FROM enrollments AS r
                  JOIN sessions AS s ON s.id = r.session_id
                 WHERE s.course_id IS DISTINCT FROM r.course_id
               ) AS x
        UNION ALL
        SELECT 'submissions' AS table_name, pg_catalog.count(*) AS rows,
               pg_catalog.array_to_string((pg_catalog.array_agg(x.example) FILTER (WHERE x.place <= {examples})), ', ') AS examples
          FROM (
                SELECT pg_catalog.row_number() OVER () AS place,
                       CASE WHEN pg_catalog.row_number() OVER () <= {examples}
                            THEN coalesce(pg_catalog.to_jsonb(r) ->> 'id'::text, 'of user ' || r.user_id::text) END AS example
                  FROM submissions AS r
                  JOIN sessions AS s ON s.id = r.session_id
                 WHERE s.course_id IS DISTINCT FROM course_of(r)
               ) AS x
       ) AS f
 WHERE f.rows > 0
 ORDER BY f.table_name
