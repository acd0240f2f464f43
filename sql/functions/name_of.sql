CREATE OR REPLACE FUNCTION sessiondb.name_of(p_kind text, p_id uuid)
RETURNS text
LANGUAGE sql STABLE
AS $function$
/*
 * What people call an organisation (p_kind is org), its name or slug, and a session or a course, its title with the id;
 * of what has no such column, the id. to_jsonb() reads columns that a platform need not have.
 */
SELECT CASE
           WHEN p_kind OPERATOR(pg_catalog.=) 'org' THEN coalesce(f.found OPERATOR(pg_catalog.->>) 'name'::pg_catalog.text, f.found OPERATOR(pg_catalog.->>) 'slug'::pg_catalog.text, 'organisation ' OPERATOR(pg_catalog.||) p_id::pg_catalog.text)
           ELSE coalesce('"' OPERATOR(pg_catalog.||) (f.found OPERATOR(pg_catalog.->>) 'title'::pg_catalog.text) OPERATOR(pg_catalog.||) '" (' OPERATOR(pg_catalog.||) p_id::pg_catalog.text OPERATOR(pg_catalog.||) ')', p_id::pg_catalog.text)
       END
  FROM (SELECT CASE
                   WHEN p_kind OPERATOR(pg_catalog.=) 'org' THEN (SELECT pg_catalog.to_jsonb(o.*) FROM platform.orgs AS o WHERE o.id OPERATOR(pg_catalog.=) p_id)
                   WHEN p_kind OPERATOR(pg_catalog.=) 'session' THEN (SELECT pg_catalog.to_jsonb(s.*) FROM platform.sessions AS s WHERE s.id OPERATOR(pg_catalog.=) p_id)
                   WHEN p_kind OPERATOR(pg_catalog.=) 'course' THEN (SELECT pg_catalog.to_jsonb(k.*) FROM platform.courses AS k WHERE k.id OPERATOR(pg_catalog.=) p_id)
               END AS found) AS f
$function$
