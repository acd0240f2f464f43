-- The guide's first verification query: the sessions, newest first, with the slugs of their organisations and the
-- titles of their courses. to_jsonb, because a platform's rows need not have them.
SELECT s.*,
       ({optional(o, slug)}) AS org_slug,
       ({optional(c, title)}) AS course_title
  FROM platform.sessions AS s
  LEFT JOIN platform.orgs AS o ON o.id OPERATOR(pg_catalog.=) s.org_id
  LEFT JOIN platform.courses AS c ON c.id OPERATOR(pg_catalog.=) s.course_id
 WHERE (%(session)s::pg_catalog.uuid IS NULL OR s.id OPERATOR(pg_catalog.=) %(session)s::pg_catalog.uuid)
   AND (NOT %(unlinked)s::boolean
        -- citus: OR NOT s.id OPERATOR(pg_catalog.=) ANY (SELECT e.session_id FROM platform.enrollments AS e WHERE e.session_id IS NOT NULL)
        -- citus: AND NOT s.id OPERATOR(pg_catalog.=) ANY (SELECT b.session_id FROM platform.submissions AS b WHERE b.session_id IS NOT NULL)) /*
        OR NOT EXISTS (SELECT FROM platform.enrollments AS e WHERE e.session_id OPERATOR(pg_catalog.=) s.id)
       AND NOT EXISTS (SELECT FROM platform.submissions AS b WHERE b.session_id OPERATOR(pg_catalog.=) s.id))
        -- citus: */
 ORDER BY s.created_at DESC NULLS LAST, s.id DESC
 LIMIT %(limit)s::bigint
