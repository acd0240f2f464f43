-- The enrollments without a session, each with the reason; "linkable" is one that a backfill would link.
SELECT r.*, c.reason
  FROM enrollments AS r
 CROSS JOIN LATERAL (
        SELECT coalesce(h.reason, 'linkable') AS reason
          FROM sessiondb.choose_sessions(ARRAY[r.user_id], ARRAY[r.course_id], false) AS h
       ) AS c
 WHERE r.session_id IS NULL
 LIMIT %(limit)s::bigint
