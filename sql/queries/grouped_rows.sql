-- The rows of {table} by user, course and session, with their number. All checks of the data share this, so each large
-- table is read once. The course by a join, because course_of() would be a look-up for each row.
SELECT r.user_id, {joined_course}::pg_catalog.uuid AS course_id, r.session_id, pg_catalog.count(*) AS rows
  FROM platform.{table} AS r {joins}
 GROUP BY 1, 2, 3
