-- The sessions that the rules choose now for the rows of a user that have none.
WITH unlinked AS (
    SELECT e.course_id, false AS is_submission
      FROM platform.enrollments AS e
     WHERE e.user_id OPERATOR(pg_catalog.=) %(user)s::pg_catalog.uuid AND e.session_id IS NULL
    UNION
    SELECT course_of(r), true
      FROM platform.submissions AS r
     WHERE r.user_id OPERATOR(pg_catalog.=) %(user)s::pg_catalog.uuid AND r.session_id IS NULL
)
SELECT DISTINCT h.session_id
  FROM (SELECT u.is_submission, pg_catalog.array_agg(%(user)s::pg_catalog.uuid) AS user_ids, pg_catalog.array_agg(u.course_id) AS course_ids
          FROM unlinked AS u
         WHERE u.course_id IS NOT NULL
         GROUP BY u.is_submission) AS a
 CROSS JOIN LATERAL sessiondb.choose_sessions(a.user_ids, a.course_ids, a.is_submission) AS h
 WHERE h.session_id IS NOT NULL
 ORDER BY h.session_id
