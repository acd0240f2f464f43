-- The guide's first verification query: the sessions, newest first.
SELECT s.*
  FROM sessions AS s
 WHERE (%(session)s::uuid IS NULL OR s.id = %(session)s::uuid)
   AND (NOT %(unlinked)s::boolean
        OR NOT EXISTS (SELECT FROM enrollments AS e WHERE e.session_id = s.id)
       AND NOT EXISTS (SELECT FROM submissions AS b WHERE b.session_id = s.id))
 ORDER BY s.created_at DESC NULLS LAST, s.id DESC
 LIMIT %(limit)s::bigint
