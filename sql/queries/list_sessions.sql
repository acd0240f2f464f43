-- The sessions with the names of their organisations and courses, newest first.
SELECT s.id,
       pg_catalog.to_jsonb(s.*) ->> 'title'::text AS title,
       s.status::text AS status,
       pg_catalog.to_jsonb(o.*) ->> 'slug'::text AS org,
       s.course_id,
       pg_catalog.to_jsonb(c.*) ->> 'title'::text AS course,
       s.created_at
  FROM sessions AS s
  LEFT JOIN orgs AS o ON o.id = s.org_id
  LEFT JOIN courses AS c ON c.id = s.course_id
 ORDER BY s.created_at DESC NULLS LAST, s.id DESC
