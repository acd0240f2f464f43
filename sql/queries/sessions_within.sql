-- The sessions of an organisation, of a course or of both whose id, title or slug is the given name, in any case; the first 21.
SELECT s.id, n.names[2] AS name, 'name' AS found_by
  FROM platform.sessions AS s
 CROSS JOIN LATERAL (
        SELECT ARRAY[s.id::pg_catalog.text,
                     ({optional(s, title)}),
                     ({optional(s, slug)})] AS names) AS n
 WHERE (%(org)s::pg_catalog.uuid IS NULL OR s.org_id OPERATOR(pg_catalog.=) %(org)s::pg_catalog.uuid)
   AND (%(course)s::pg_catalog.uuid IS NULL OR s.course_id OPERATOR(pg_catalog.=) %(course)s::pg_catalog.uuid)
   AND pg_catalog.lower(%(name)s::pg_catalog.text) OPERATOR(pg_catalog.=) ANY (
           SELECT pg_catalog.lower(a.name) FROM pg_catalog.unnest(n.names) AS a (name))
 ORDER BY s.created_at DESC NULLS LAST, s.id
 LIMIT 21
