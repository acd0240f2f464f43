-- The sessions with the names of their organisations and courses, newest first.
SELECT s.id,
       ({optional(s, title)}) AS title,
       s.status::pg_catalog.text AS status,
       ({optional(o, slug)}) AS org,
       s.course_id,
       ({optional(c, title)}) AS course,
       s.created_at
  FROM platform.sessions AS s
  LEFT JOIN platform.orgs AS o ON o.id OPERATOR(pg_catalog.=) s.org_id
  LEFT JOIN platform.courses AS c ON c.id OPERATOR(pg_catalog.=) s.course_id
 WHERE (%(org)s::pg_catalog.uuid IS NULL OR s.org_id OPERATOR(pg_catalog.=) %(org)s::pg_catalog.uuid)
   AND (%(course)s::pg_catalog.uuid IS NULL OR s.course_id OPERATOR(pg_catalog.=) %(course)s::pg_catalog.uuid)
   AND (%(status)s::pg_catalog.text IS NULL
        OR pg_catalog.lower(s.status::pg_catalog.text) OPERATOR(pg_catalog.=) pg_catalog.lower(%(status)s::pg_catalog.text))
 ORDER BY s.created_at DESC NULLS LAST, s.id DESC
