-- The students of a session, by name: since when they are enrolled, how much they have submitted, and when last.
SELECT t.*, coalesce(u.name, t.user_id::pg_catalog.text) AS name, u.login
  FROM (
        SELECT r.user_id, pg_catalog.bool_or(r.is_enrolled) AS is_enrolled, pg_catalog.min(r.enrolled_at) AS enrolled_at,
               pg_catalog.sum(r.submissions)::bigint AS submissions, pg_catalog.max(r.last_at) AS last_at
          FROM (SELECT e.user_id, true AS is_enrolled, {enrolled_at} AS enrolled_at, 0 AS submissions, NULL::pg_catalog.timestamptz AS last_at
                  FROM platform.enrollments AS e
                 WHERE e.session_id OPERATOR(pg_catalog.=) %(session)s::pg_catalog.uuid
                UNION ALL
                SELECT b.user_id, false, NULL, pg_catalog.count(*), pg_catalog.max({submitted_at})
                  FROM platform.submissions AS b
                 WHERE b.session_id OPERATOR(pg_catalog.=) %(session)s::pg_catalog.uuid
                 GROUP BY b.user_id) AS r
         WHERE r.user_id IS NOT NULL
         GROUP BY r.user_id
       ) AS t
  LEFT JOIN ({users}) AS u ON u.id OPERATOR(pg_catalog.=) t.user_id
 ORDER BY {by_name}, name, t.user_id
 LIMIT %(limit)s::bigint OFFSET %(skip)s::bigint
