-- How many rows are linked to a session and how many are not.
SELECT 'enrollments' AS table_name,
       pg_catalog.count(session_id) AS linked,
       pg_catalog.count(*) OPERATOR(pg_catalog.-) pg_catalog.count(session_id) AS unlinked
  FROM platform.enrollments
 UNION ALL
SELECT 'submissions', pg_catalog.count(session_id), pg_catalog.count(*) OPERATOR(pg_catalog.-) pg_catalog.count(session_id)
  FROM platform.submissions
 ORDER BY table_name
