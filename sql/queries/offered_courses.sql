-- The courses of which organisations have sessions, and whether one is active.
SELECT s.org_id, s.course_id, pg_catalog.bool_or(s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active') AS is_active
  FROM platform.sessions AS s
 WHERE s.org_id IS NOT NULL
 GROUP BY 1, 2
