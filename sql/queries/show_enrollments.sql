-- The guide's second verification query: the enrollments with the titles of their sessions and courses. to_jsonb,
-- because a platform's rows need not have a title.
SELECT r.*,
       pg_catalog.to_jsonb(s.*) ->> 'title'::text AS session_title,
       pg_catalog.to_jsonb(c.*) ->> 'title'::text AS course_title
  FROM enrollments AS r
  LEFT JOIN sessions AS s ON s.id = r.session_id
  LEFT JOIN courses AS c ON c.id = r.course_id
 WHERE %(session)s::uuid IS NULL OR r.session_id = %(session)s::uuid
 LIMIT %(limit)s::bigint
