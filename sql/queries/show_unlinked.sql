-- The rows of {table} without a session, each with the title of its course, its user, and its course for show_reasons.
SELECT r.*,
       ({optional(c, title)}) AS course_title,
       coalesce(p.login, r.user_id::pg_catalog.text) AS student,
       {course} AS course_of_row
  FROM platform.{table} AS r
  LEFT JOIN platform.courses AS c ON c.id OPERATOR(pg_catalog.=) {course}
  LEFT JOIN ({people}) AS p ON p.id OPERATOR(pg_catalog.=) r.user_id
 WHERE r.session_id IS NULL
 LIMIT %(limit)s::bigint
