-- The active sessions of a course for an organisation; the first one is chosen for students, the others only for
-- students who are enrolled in them.
SELECT s.id, sessiondb.name_of('session', s.id) AS name
  FROM platform.sessions AS s
 WHERE s.org_id OPERATOR(pg_catalog.=) %(org)s::pg_catalog.uuid
   AND s.course_id OPERATOR(pg_catalog.=) %(course)s::pg_catalog.uuid
   AND s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active'
 ORDER BY s.created_at DESC NULLS LAST, s.id DESC
