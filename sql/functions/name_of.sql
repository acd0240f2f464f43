CREATE OR REPLACE FUNCTION sessiondb.name_of(p_kind text, p_id uuid)
RETURNS text
LANGUAGE sql STABLE
SET search_path FROM CURRENT
AS $function$
/*
 * What people call an organisation (p_kind is org), its name or slug, and a session or a course, its title with the id;
 * of what has no such column, the id. to_jsonb() reads columns that a platform need not have.
 */
SELECT CASE p_kind
           WHEN 'org' THEN coalesce(f.found ->> 'name'::text, f.found ->> 'slug'::text, 'organisation ' || p_id::text)
           ELSE coalesce('"' || (f.found ->> 'title'::text) || '" (' || p_id::text || ')', p_id::text)
       END
  FROM (SELECT CASE p_kind
                   WHEN 'org' THEN (SELECT pg_catalog.to_jsonb(o.*) FROM orgs AS o WHERE o.id = p_id)
                   WHEN 'session' THEN (SELECT pg_catalog.to_jsonb(s.*) FROM sessions AS s WHERE s.id = p_id)
                   WHEN 'course' THEN (SELECT pg_catalog.to_jsonb(k.*) FROM courses AS k WHERE k.id = p_id)
               END AS found) AS f
$function$
