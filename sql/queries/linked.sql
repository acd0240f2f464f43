-- How many rows are linked to a session and how many are not.
SELECT 'enrollments' AS table_name,
       pg_catalog.count(e.session_id) AS linked,
       pg_catalog.count(*) OPERATOR(pg_catalog.-) pg_catalog.count(e.session_id) AS unlinked
  FROM platform.enrollments AS e
 UNION ALL
SELECT 'submissions', pg_catalog.count(b.session_id), pg_catalog.count(*) OPERATOR(pg_catalog.-) pg_catalog.count(b.session_id)
  FROM platform.submissions AS b
 ORDER BY table_name
