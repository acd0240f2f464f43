-- Some of the rows of {table} in the groups of f, for output: by id, or by user if they have none. f holds the users,
-- courses and sessions of some groups.
SELECT pg_catalog.string_agg(e.example, ', ') AS examples
  FROM (
        SELECT e.example
          FROM ROWS FROM (pg_catalog.unnest(f.user_ids), pg_catalog.unnest(f.course_ids), pg_catalog.unnest(f.session_ids))
               AS p (user_id, course_id, session_id)
         CROSS JOIN LATERAL (
                -- citus: SELECT 'of user ' OPERATOR(pg_catalog.||) p.user_id::pg_catalog.text AS example /*
                SELECT coalesce(pg_catalog.to_jsonb(r.*) OPERATOR(pg_catalog.->>) 'id'::pg_catalog.text, 'of user ' OPERATOR(pg_catalog.||) r.user_id::pg_catalog.text) AS example
                  FROM platform.{table} AS r
                 WHERE r.session_id OPERATOR(pg_catalog.=) p.session_id
                   AND (r.user_id OPERATOR(pg_catalog.=) p.user_id OR r.user_id IS NULL AND p.user_id IS NULL)
                   AND ({course} OPERATOR(pg_catalog.=) p.course_id OR {course} IS NULL AND p.course_id IS NULL)
                 LIMIT {examples}
                -- citus: */
               ) AS e
         LIMIT {examples}
       ) AS e
