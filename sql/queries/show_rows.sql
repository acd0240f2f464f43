-- The guide's second and third verification queries: the rows of {table} with the titles of their sessions and courses.
-- to_jsonb, because a platform's rows need not have a title.
SELECT r.*,
       pg_catalog.to_jsonb(s.*) ->> 'title'::text AS session_title,
       pg_catalog.to_jsonb(c.*) ->> 'title'::text AS course_title
  FROM {table} AS r
  LEFT JOIN sessions AS s ON s.id = r.session_id
  LEFT JOIN courses AS c ON c.id = {course}
 WHERE %(session)s::uuid IS NULL OR r.session_id = %(session)s::uuid
 LIMIT %(limit)s::bigint
