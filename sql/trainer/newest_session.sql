-- The newest session of a course for an organisation, and how many there are: more than when a form was shown, and another
-- was created meanwhile.
SELECT pg_catalog.count(*) OVER () AS number, s.id, coalesce({session_title}, s.id::pg_catalog.text) AS title
  FROM platform.sessions AS s
 WHERE s.org_id OPERATOR(pg_catalog.=) %(org)s::pg_catalog.uuid
   AND s.course_id OPERATOR(pg_catalog.=) %(course)s::pg_catalog.uuid
 ORDER BY s.created_at DESC NULLS LAST, s.id DESC
 LIMIT 1
