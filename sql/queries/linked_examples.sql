-- Some of the rows of {table} in the groups of f, for output: by id, or by user if they have none.
SELECT pg_catalog.string_agg(e.example, ', ') AS examples
  FROM (
        SELECT e.example
          FROM pg_catalog.jsonb_to_recordset(f.groups) AS p (user_id pg_catalog.uuid, course_id pg_catalog.uuid, session_id pg_catalog.uuid)
         CROSS JOIN LATERAL (
                -- citus: SELECT 'of user ' OPERATOR(pg_catalog.||) p.user_id::pg_catalog.text AS example /*
                SELECT CASE WHEN i.id OPERATOR(pg_catalog.~) '^[0-9a-z-]+$' THEN i.id
                            ELSE coalesce(pg_catalog.quote_ident(i.id), 'of user ' OPERATOR(pg_catalog.||) r.user_id::pg_catalog.text) END AS example
                  FROM platform.{table} AS r
                 CROSS JOIN LATERAL (SELECT ({optional(r, id)}) AS id) AS i
                 WHERE r.session_id OPERATOR(pg_catalog.=) p.session_id
                   AND (r.user_id OPERATOR(pg_catalog.=) p.user_id OR r.user_id IS NULL AND p.user_id IS NULL)
                   AND ({course} OPERATOR(pg_catalog.=) p.course_id OR {course} IS NULL AND p.course_id IS NULL)
                 LIMIT {examples}
                -- citus: */
               ) AS e
         LIMIT {examples}
       ) AS e
