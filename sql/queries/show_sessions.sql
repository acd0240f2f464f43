-- The guide's first verification query: the sessions, newest first, with the slugs of their organisations and the
-- titles of their courses. to_jsonb, because a platform's rows need not have them.
SELECT s.*,
       pg_catalog.to_jsonb(o.*) ->> 'slug'::text AS org_slug,
       pg_catalog.to_jsonb(c.*) ->> 'title'::text AS course_title
  FROM sessions AS s
  LEFT JOIN orgs AS o ON o.id = s.org_id
  LEFT JOIN courses AS c ON c.id = s.course_id
 WHERE (%(session)s::uuid IS NULL OR s.id = %(session)s::uuid)
   AND (NOT %(unlinked)s::boolean
        OR NOT EXISTS (SELECT FROM enrollments AS e WHERE e.session_id = s.id)
       AND NOT EXISTS (SELECT FROM submissions AS b WHERE b.session_id = s.id))
 ORDER BY s.created_at DESC NULLS LAST, s.id DESC
 LIMIT %(limit)s::bigint
