CREATE OR REPLACE FUNCTION sessiondb.name_of(p_kind text, p_id uuid)
RETURNS text
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The name for output of an organisation (p_kind is org): its name or slug; of a session or a course: its title with the
 * id; of a user: e-mail and name with the id, as far as the caller may read them; the id if there is no such column.
 */
SELECT CASE p_kind
           WHEN 'user' THEN coalesce((
               SELECT nullif(sessiondb.ask(format('SELECT pg_catalog.to_jsonb(pg_catalog.concat_ws('', '', %s)) FROM %s '
                                                  'WHERE %I OPERATOR(pg_catalog.=) %L',
                                           (SELECT string_agg(format('%I::pg_catalog.text', c.name), ', ' ORDER BY c.place)
                                            FROM unnest(t.columns) WITH ORDINALITY AS c (name, place)),
                                           t.relation, t.key, p_id)) #>> '{}', '') || ' (' || p_id || ')'
                 FROM sessiondb.names_in('user') AS t
                WHERE t.columns IS NOT NULL), p_id::text)
           WHEN 'org' THEN coalesce(nullif(f.found ->> 'name', ''), nullif(f.found ->> 'slug', ''), 'organisation ' || p_id)
           ELSE coalesce('"' || nullif(f.found ->> 'title', '') || '" (' || p_id || ')', p_id::text)
       END
  FROM (SELECT CASE WHEN p_kind <> 'user' THEN sessiondb.ask(format('SELECT pg_catalog.jsonb_build_object(''name'', '
      '({optional(r, name)}), ''slug'', ({optional(r, slug)}), ''title'', ({optional(r, title)})) FROM %I.%I AS r WHERE r.id '
      'OPERATOR(pg_catalog.=) %L',
                                    i.platform_schema, p_kind || 's', p_id)) END AS found
          FROM sessiondb.installation AS i) AS f
$function$
