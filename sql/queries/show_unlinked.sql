-- The rows of {table} without a session, each with the title of its course, its user and the reason; "linked" is one that a backfill
-- would link. What would be chosen is asked once for all of them. FULL, though there is no choice without its row: such
-- a join never compares each with each, whatever the statistics say.
WITH unlinked AS MATERIALIZED (
    SELECT (r.*)::platform.{table} AS row, r.user_id, {course} AS course_id
      FROM platform.{table} AS r
     WHERE r.session_id IS NULL
     LIMIT %(limit)s::bigint
),
choice AS (
    SELECT h.user_id, h.course_id, coalesce(h.reason, 'linked') AS reason
      FROM (SELECT pg_catalog.array_agg(p.user_id) AS user_ids, pg_catalog.array_agg(p.course_id) AS course_ids
              FROM (SELECT DISTINCT u.user_id, u.course_id
                      FROM unlinked AS u
                     WHERE u.user_id IS NOT NULL AND u.course_id IS NOT NULL) AS p) AS a
     CROSS JOIN LATERAL sessiondb.choose_sessions(a.user_ids, a.course_ids, {by_enrollment}) AS h
)
SELECT (u.row).*,
       pg_catalog.to_jsonb(c.*) OPERATOR(pg_catalog.->>) 'title'::pg_catalog.text AS course_title,
       CASE WHEN u.course_id IS NULL THEN 'course_unknown' WHEN u.user_id IS NULL THEN 'no_membership' ELSE h.reason END AS reason,
       coalesce(p.name, u.user_id::pg_catalog.text) AS student
  FROM unlinked AS u
  FULL JOIN choice AS h ON h.user_id OPERATOR(pg_catalog.=) u.user_id AND h.course_id OPERATOR(pg_catalog.=) u.course_id
  LEFT JOIN platform.courses AS c ON c.id OPERATOR(pg_catalog.=) u.course_id
  LEFT JOIN {people} AS p ON p.id OPERATOR(pg_catalog.=) u.user_id
