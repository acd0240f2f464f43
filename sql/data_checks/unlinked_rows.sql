-- How many rows of {table} have no session, by reason; a warning where it is "linked", and a backfill would link them.
WITH pair AS MATERIALIZED (
    SELECT r.user_id, r.course_id, pg_catalog.count(*) AS rows
      FROM (SELECT r.user_id, {course} AS course_id FROM platform.{table} AS r WHERE r.session_id IS NULL) AS r
     GROUP BY r.user_id, r.course_id
)
SELECT 'unlinked_rows' AS "check",
       CASE WHEN f.reason OPERATOR(pg_catalog.=) 'linked' THEN 'warning' ELSE 'info' END AS level,
       '{table}' AS object,
       pg_catalog.format(CASE WHEN f.rows OPERATOR(pg_catalog.=) 1 THEN '%s row of %s in {table} has no session%s (%s).' ELSE '%s rows of %s in {table} have no session%s (%s).' END,
                         f.rows, (SELECT pg_catalog.count(*) FROM platform.{table}),
                         CASE WHEN f.reason OPERATOR(pg_catalog.=) 'linked' THEN ', though the rules find one' END, f.reason) AS detail,
       CASE
           WHEN f.reason OPERATOR(pg_catalog.=) 'linked' THEN 'Link them: sessiondb backfill'
           ELSE pg_catalog.concat_ws('; ', 'List them: sessiondb show {table} --unlinked', 'what to do, for instance: sessiondb explain ' OPERATOR(pg_catalog.||) CASE
                    WHEN f.pair IS NOT NULL THEN pg_catalog.format('--user %s --course %s', f.pair[1], f.pair[2])
                    ELSE (
                        SELECT '--' OPERATOR(pg_catalog.||) pg_catalog.rtrim('{table}', 's') OPERATOR(pg_catalog.||) ' ' OPERATOR(pg_catalog.||) (pg_catalog.to_jsonb(r.*) OPERATOR(pg_catalog.->>) 'id'::pg_catalog.text)
                          FROM platform.{table} AS r WHERE r.session_id IS NULL AND ({course} IS NULL OR r.user_id IS NULL) LIMIT 1)
                END)
       END AS fix
  FROM (
        SELECT CASE WHEN r.course_id IS NULL THEN 'course_unknown' WHEN r.user_id IS NULL THEN 'no_membership'
                    ELSE coalesce(h.reason, 'linked') END AS reason,
               pg_catalog.sum(r.rows)::bigint AS rows,
               pg_catalog.min(ARRAY[r.user_id, r.course_id]) FILTER (WHERE r.user_id IS NOT NULL AND r.course_id IS NOT NULL) AS pair
          FROM pair AS r
          LEFT JOIN (
                SELECT c.*
                  FROM (SELECT pg_catalog.array_agg(p.user_id) AS user_ids, pg_catalog.array_agg(p.course_id) AS course_ids
                          FROM pair AS p WHERE p.user_id IS NOT NULL AND p.course_id IS NOT NULL) AS a
                 CROSS JOIN LATERAL sessiondb.choose_sessions(a.user_ids, a.course_ids, {by_enrollment}) AS c
               ) AS h ON h.user_id OPERATOR(pg_catalog.=) r.user_id AND h.course_id OPERATOR(pg_catalog.=) r.course_id
         GROUP BY 1
       ) AS f
 ORDER BY f.reason
