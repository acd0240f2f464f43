CREATE OR REPLACE FUNCTION sessiondb.find_similar(p_kind text, p_name text)
RETURNS TABLE (id uuid, name text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The five users, courses, organisations or sessions (p_kind as for names_in) with the names most similar to p_name: those
 * that hold at least half of its pairs of letters, of these the nearest in length. In a table of more than 10,000 rows only
 * the 10,000 are compared whose names begin most like p_name: to compare all of a million takes minutes.
 */
SELECT f.id, f.name
  FROM sessiondb.names_in(p_kind) AS t
 CROSS JOIN LATERAL (
        SELECT string_agg(format('%I::pg_catalog.text COLLATE pg_catalog."default"', c.name), ', ' ORDER BY c.place) AS list
          FROM unnest(t.columns) WITH ORDINALITY AS c (name, place)
         WHERE ({looked_for(p_kind, p_name, c.name)})
        HAVING count(*) > 0) AS n
 CROSS JOIN LATERAL (
        SELECT array_agg(DISTINCT lower(substr(p_name, g.at, 2))) AS list FROM generate_series(1, length(p_name) - 1) AS g (at)) AS pair
 CROSS JOIN jsonb_to_recordset(sessiondb.ask(format(
           $near$
           SELECT pg_catalog.jsonb_agg(f.*)
             FROM (SELECT r.id, pg_catalog.concat_ws(', ', VARIADIC r.names) AS name
                     FROM (SELECT %1$I AS id, ARRAY[%2$s] AS names
                             FROM %3$s
                            ORDER BY (SELECT pg_catalog.max(CASE
                                                 WHEN pg_catalog.starts_with(pg_catalog.lower(n.name),
                                                     pg_catalog.lower(pg_catalog.substr(%4$L::pg_catalog.text, 1, 4))) THEN 2
                                                 WHEN pg_catalog.starts_with(pg_catalog.lower(n.name),
                                                     pg_catalog.lower(pg_catalog.substr(%4$L::pg_catalog.text, 1, 2))) THEN 1
                                                 ELSE 0 END)
                                        FROM pg_catalog.unnest(ARRAY[%2$s]) AS n (name)) DESC
                            LIMIT 10000) AS r
                    CROSS JOIN LATERAL (
                           SELECT h.likeness, pg_catalog.abs(pg_catalog.length(n.name) OPERATOR(pg_catalog.-) %6$s) AS excess
                             FROM pg_catalog.unnest(r.names) AS n (name)
                            CROSS JOIN LATERAL (
                                   SELECT pg_catalog.avg((pg_catalog.strpos(l.name, p.pair) OPERATOR(pg_catalog.>) 0)::pg_catalog.int4) AS likeness
                                     FROM (SELECT pg_catalog.lower(n.name) AS name OFFSET 0) AS l
                                    CROSS JOIN pg_catalog.unnest(%5$L::pg_catalog.text[]) AS p (pair)) AS h
                            ORDER BY h.likeness DESC NULLS LAST, excess
                            LIMIT 1) AS b
                    WHERE b.likeness OPERATOR(pg_catalog.>=) 0.5
                    ORDER BY b.likeness DESC, b.excess, r.id
                    LIMIT 5) AS f
           $near$, t.key, n.list, t.relation, p_name, pair.list, length(p_name)))) AS f (id uuid, name text)
 WHERE t.columns IS NOT NULL
$function$
