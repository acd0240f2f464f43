-- The guide's second verification query: the enrollments with the titles of their sessions. to_jsonb, because a
-- host's sessions need not have a title.
SELECT r.*, pg_catalog.to_jsonb(s) ->> 'title'::text AS session_title
  FROM enrollments AS r
  LEFT JOIN sessions AS s ON s.id = r.session_id
 WHERE (%(session)s::uuid IS NULL OR r.session_id = %(session)s::uuid)
   AND (NOT %(unlinked)s::boolean OR r.session_id IS NULL)
 LIMIT %(limit)s::bigint
