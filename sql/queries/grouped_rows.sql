-- The rows of {table} by user, course and session, and how many there are of each: what the checks of the data read, and
-- so each large table once for all of them. The course by a join, for course_of() would be a look-up for each row.
SELECT r.user_id, {joined_course}::pg_catalog.uuid AS course_id, r.session_id, pg_catalog.count(*) AS rows
  FROM platform.{table} AS r {joins}
 GROUP BY 1, 2, 3
