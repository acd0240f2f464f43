CREATE OR REPLACE FUNCTION sessiondb.find_named(p_kind text, p_name text)
RETURNS TABLE (id uuid, name text, found_by text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The users, courses, organisations or sessions (p_kind as for names_in) with the name p_name, with all their names.
 * found_by is slug, which takes precedence over all other names, or name. Case matters only if it distinguishes two of
 * them: the exact name is looked for first, because an index may find it. At most 21, so that a name that very many share
 * takes no longer. If nothing has this name, the five with the most similar names, found_by near: those that contain the
 * most pairs of its letters.
 */
WITH named AS (
    SELECT format(
               $named$
               SELECT r.%I AS id, n.names[%s] AS slug, n.names, pg_catalog.concat_ws(', ', VARIADIC n.names) AS name
                 FROM %s AS r
                CROSS JOIN LATERAL (SELECT ARRAY[%s] AS names) AS n
                WHERE
               $named$,
               t.key, coalesce(array_position(t.columns, 'slug'), 0), t.relation, string_agg(c.value, ', ' ORDER BY c.place)) AS query,
           string_agg(format('%s OPERATOR(pg_catalog.=) %L::pg_catalog.text', c.value, p_name), ' OR ') AS as_written,
           string_agg(format('pg_catalog.lower(%s) OPERATOR(pg_catalog.=) pg_catalog.lower(%L::pg_catalog.text)', c.value, p_name), ' OR ') AS in_any_case,
           $called$
           SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('id', f.id, 'name', f.name, 'found_by', f.found_by) ORDER BY f.name, f.id)
             FROM (SELECT c.*, pg_catalog.max(c.found_by) OVER () AS best
                     FROM (SELECT r.id, r.name, k.found_by
                             FROM (%2$s) AS r
                            CROSS JOIN LATERAL (
                                   SELECT CASE WHEN r.slug OPERATOR(pg_catalog.=) %1$L::pg_catalog.text THEN 'slug' ELSE 'name' END AS found_by) AS k
                            ORDER BY k.found_by DESC, r.name, r.id
                            LIMIT 21) AS c) AS f
            WHERE f.found_by OPERATOR(pg_catalog.=) f.best
           $called$ AS called
      FROM sessiondb.names_in(p_kind) AS t
     CROSS JOIN LATERAL (
            SELECT n.place, format('r.%I::pg_catalog.text COLLATE pg_catalog."default"', n.name) AS value
              FROM unnest(t.columns) WITH ORDINALITY AS n (name, place)) AS c
     GROUP BY t.relation, t.key, t.columns
)
SELECT f.id, f.name, f.found_by
  FROM named AS q
 CROSS JOIN jsonb_to_recordset(coalesce(
           sessiondb.ask(format(q.called, p_name, q.query || q.as_written)),
           sessiondb.ask(format(q.called, p_name, q.query || q.in_any_case)),
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
               $near$, p_name, q.query || 'true')))) AS f (id uuid, name text, found_by text)
$function$
