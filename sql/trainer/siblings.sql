-- The active sessions of a course for an organisation, and the session that is asked about whatever its status, in the
-- order in which they are chosen: new students get the first active one.
SELECT s.id, coalesce({session_title}, s.id::pg_catalog.text) AS title,
       s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active' AS is_active, s.created_at
  FROM platform.sessions AS s
 WHERE s.org_id OPERATOR(pg_catalog.=) %(org)s::pg_catalog.uuid
   AND s.course_id OPERATOR(pg_catalog.=) %(course)s::pg_catalog.uuid
   AND (s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active' OR s.id OPERATOR(pg_catalog.=) %(session)s::pg_catalog.uuid)
 ORDER BY s.created_at DESC NULLS LAST, s.id DESC
 LIMIT 50
