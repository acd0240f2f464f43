CREATE OR REPLACE FUNCTION sessiondb.find_named(p_kind text, p_name text)
RETURNS TABLE (id uuid, name text, found_by text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The users, courses, organisations or sessions (p_kind as for names_in) with the name p_name, with all their names.
 * found_by is slug, which takes precedence over all other names, or name; case matters only if it distinguishes two of
 * them. If nothing has this name, the five with the most similar names, found_by near: those that contain the most pairs
 * of its letters.
 */
WITH named AS (
    SELECT format(
               $named$
               SELECT r.%I AS id, n.names[%s] AS slug, n.names, pg_catalog.concat_ws(', ', VARIADIC n.names) AS name
                 FROM %s AS r
                CROSS JOIN LATERAL (SELECT ARRAY[%s] AS names) AS n
               $named$,
               t.key, coalesce(array_position(t.columns, 'slug'), 0), t.relation,
               (SELECT string_agg(format('r.%I::pg_catalog.text COLLATE pg_catalog."default"', c.name), ', ' ORDER BY c.place)
                  FROM unnest(t.columns) WITH ORDINALITY AS c (name, place))) AS query
      FROM sessiondb.names_in(p_kind) AS t
     WHERE t.columns IS NOT NULL
)
SELECT f.id, f.name, f.found_by
  FROM named AS q
 CROSS JOIN jsonb_to_recordset(coalesce(
           sessiondb.ask(format(
               $same$
               SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('id', f.id, 'name', f.name, 'found_by', CASE f.rank WHEN 1 THEN 'slug' ELSE 'name' END) ORDER BY f.name, f.id)
                 FROM (SELECT c.*, pg_catalog.min(c.rank) OVER () AS best
                         FROM (SELECT r.id, r.name,
                                      CASE WHEN r.slug OPERATOR(pg_catalog.=) %1$L::pg_catalog.text THEN 1 WHEN %1$L::pg_catalog.text OPERATOR(pg_catalog.=) ANY (r.names) THEN 2 ELSE 3 END AS rank
                                 FROM (%2$s) AS r
                                WHERE pg_catalog.lower(%1$L::pg_catalog.text) OPERATOR(pg_catalog.=) ANY (
                                          SELECT pg_catalog.lower(n.name) FROM pg_catalog.unnest(r.names) AS n (name))) AS c) AS f
                WHERE f.rank OPERATOR(pg_catalog.=) f.best
               $same$, p_name, q.query)),
           sessiondb.ask(format(
               $near$
               SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('id', f.id, 'name', f.name, 'found_by', 'near') ORDER BY f.likeness DESC, pg_catalog.length(f.name), f.id)
                 FROM (SELECT r.id, r.name, l.likeness
                         FROM (%2$s) AS r
                        CROSS JOIN LATERAL (
                               SELECT pg_catalog.max((
                                          SELECT pg_catalog.avg((pg_catalog.strpos(pg_catalog.lower(n.name), pg_catalog.lower(pg_catalog.substr(%1$L::pg_catalog.text, g.at, 2))) OPERATOR(pg_catalog.>) 0)::pg_catalog.int4)
                                            FROM pg_catalog.generate_series(1, pg_catalog.length(%1$L::pg_catalog.text) OPERATOR(pg_catalog.-) 1) AS g (at))) AS likeness
                                 FROM pg_catalog.unnest(r.names) AS n (name)) AS l
                        WHERE l.likeness OPERATOR(pg_catalog.>=) 0.5
                        ORDER BY l.likeness DESC, pg_catalog.length(r.name), r.id
                        LIMIT 5) AS f
               $near$, p_name, q.query)))) AS f (id uuid, name text, found_by text)
$function$
