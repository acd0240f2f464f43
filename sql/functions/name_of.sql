CREATE OR REPLACE FUNCTION sessiondb.name_of(p_kind text, p_id uuid)
RETURNS text
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * What people call an organisation (p_kind is org), its name or slug, and a session or a course, its title with the id;
 * of what has no such column, the id. to_jsonb() reads columns that a platform need not have.
 */
SELECT CASE p_kind
           WHEN 'org' THEN coalesce(f.found ->> 'name', f.found ->> 'slug', 'organisation ' || p_id)
           ELSE coalesce('"' || (f.found ->> 'title') || '" (' || p_id || ')', p_id::text)
       END
  FROM (SELECT sessiondb.ask(format('SELECT pg_catalog.to_jsonb(r.*) FROM %I.%I AS r WHERE r.id OPERATOR(pg_catalog.=) %L',
                                    i.platform_schema, p_kind || 's', p_id)) AS found
          FROM sessiondb.installation AS i) AS f
$function$
