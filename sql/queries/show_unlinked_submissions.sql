-- The submissions without a session, each with the reason; "linkable" is one that a backfill would link.
SELECT r.*, c.reason
  FROM submissions AS r
 CROSS JOIN LATERAL (
        SELECT coalesce(h.reason, 'linkable') AS reason
          FROM sessiondb.choose_sessions(ARRAY[r.user_id], ARRAY[course_of(r)], true) AS h
       ) AS c
 WHERE r.session_id IS NULL
 LIMIT %(limit)s::bigint
