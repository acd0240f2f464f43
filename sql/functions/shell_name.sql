CREATE OR REPLACE FUNCTION sessiondb.shell_name(p_kind text, p_id uuid)
RETURNS text
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The name of a user, course, organisation or session (p_kind as for names_in) for use in a command, quoted for a shell: a
 * name by which find_named() finds nothing else, or the id. Not a name that could be mistaken for an option, an id or an
 * address, or that a terminal would not show unchanged.
 */
SELECT coalesce((
           SELECT ({shell_word(n.name)})
             FROM sessiondb.names_in(p_kind) AS t
            CROSS JOIN LATERAL jsonb_array_elements_text(sessiondb.ask(format(
                   'SELECT pg_catalog.jsonb_build_array(%s) FROM %s WHERE %I OPERATOR(pg_catalog.=) %L',
                   (SELECT string_agg(format('%I::pg_catalog.text', c.name), ', ' ORDER BY c.place)
                    FROM unnest(t.columns) WITH ORDINALITY AS c (name, place)),
                   t.relation, t.key, p_id))) WITH ORDINALITY AS n (name, place)
            WHERE t.columns IS NOT NULL
              AND n.name ~ '^[^- ].{0,59}$'
              AND n.name !~ E'[:/=\\\\]'
              AND n.name !~ E'[\\xa0{invisible}]'
              AND replace(n.name, '-', '') !~* '^[0-9a-f]{32}$'
              AND (SELECT count(*) = 1 AND bool_and(f.id = p_id AND f.found_by <> 'near') FROM sessiondb.find_named(p_kind, n.name) AS f)
            ORDER BY n.place
            LIMIT 1), p_id::text)
$function$
