-- The guide's second and third verification queries: the rows of {table} with the titles of their sessions and courses,
-- the slugs of the sessions' organisations, and the names of their users. to_jsonb, because a platform's rows need not
-- have a title.
SELECT r.*,
       ({optional(s, title)}) AS session_title,
       ({optional(c, title)}) AS course_title,
       ({optional(o, slug)}) AS org_slug,
       coalesce(p.login, r.user_id::pg_catalog.text) AS student
  FROM platform.{table} AS r
  LEFT JOIN platform.sessions AS s ON s.id OPERATOR(pg_catalog.=) r.session_id
  LEFT JOIN platform.orgs AS o ON o.id OPERATOR(pg_catalog.=) s.org_id
  LEFT JOIN platform.courses AS c ON c.id OPERATOR(pg_catalog.=) {course}
  LEFT JOIN ({people}) AS p ON p.id OPERATOR(pg_catalog.=) r.user_id
 WHERE %(session)s::pg_catalog.uuid IS NULL OR r.session_id OPERATOR(pg_catalog.=) %(session)s::pg_catalog.uuid
 LIMIT %(limit)s::bigint
