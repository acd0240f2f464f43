CREATE OR REPLACE FUNCTION sessiondb.find_named(p_kind text, p_name text)
RETURNS TABLE (id uuid, name text, found_by text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The users, courses, organisations or sessions (p_kind as for names_in) that people call p_name, with all their names;
 * at most 21. found_by is slug, name, or both if it is the slug of one and the name of another. If nothing has this
 * name, the most similar ones, found_by near.
 *
 * The slug, which identifies a thing, goes before what people may choose freely, each as it is written, then in any case.
 * No user may take another's place by calling themselves so: they are looked for in any case and in all names at once, and
 * what looks like an e-mail only among e-mails.
 */
DECLARE
    v_try record;
    v_found jsonb;
BEGIN
    FOR v_try IN
        WITH place AS (
            SELECT t.*, c.name, c.place, format('%I::pg_catalog.text COLLATE pg_catalog."default"', c.name) AS value,
                   c.name = 'slug' OR p_kind = 'user' AND strpos(p_name, '@') > 0 AS identifies
              FROM sessiondb.names_in(p_kind) AS t
             CROSS JOIN unnest(t.columns) WITH ORDINALITY AS c (name, place)
        ),
        named AS (
            SELECT format('SELECT %I AS id, %s AS names FROM %s WHERE ', p.key,
                          format('ARRAY[%s]', string_agg(p.value, ', ' ORDER BY p.place)), p.relation) AS query
              FROM place AS p
             GROUP BY p.key, p.relation
        ),
        step AS (
            SELECT min(p.place) AS place, p.identifies, CASE WHEN min(p.name) = 'slug' THEN 'slug' ELSE 'name' END AS found_by,
                   string_agg(format('%s OPERATOR(pg_catalog.=) %L::pg_catalog.text', p.value, p_name), ' OR ') AS as_written,
                   string_agg(format('pg_catalog.lower(%s) OPERATOR(pg_catalog.=) pg_catalog.lower(%L::pg_catalog.text)',
                                     p.value, p_name), ' OR ') AS in_any_case
              FROM place AS p
             WHERE ({looked_for(p_kind, p_name, p.name)})
             GROUP BY p.identifies, CASE WHEN p.identifies THEN p.place END
        )
        SELECT s.found_by, n.query || c.condition AS query,
               (SELECT n.query || o.in_any_case FROM step AS o WHERE NOT o.identifies AND s.found_by = 'slug') AS others
          FROM named AS n
         CROSS JOIN step AS s
         CROSS JOIN LATERAL (VALUES (1, s.as_written), (2, s.in_any_case)) AS c (place, condition)
         WHERE p_kind <> 'user' OR c.place = 2
         ORDER BY s.identifies DESC, s.place, c.place
    LOOP
        v_found := sessiondb.ask(format(
            $called$
            SELECT pg_catalog.jsonb_agg(f.*)
              FROM (SELECT r.id, pg_catalog.concat_ws(', ', VARIADIC r.names) AS name FROM (%s) AS r ORDER BY 2, 1 LIMIT 21) AS f
            $called$, v_try.query));
        IF v_found IS NOT NULL THEN
            -- a role that may create one could choose the name of another for its slug
            IF v_try.others IS NOT NULL THEN
                IF sessiondb.ask(format('SELECT pg_catalog.to_jsonb(r.id) FROM (%s) AS r '
                                        'WHERE r.id::pg_catalog.text OPERATOR(pg_catalog.<>) %L LIMIT 1',
                                        v_try.others, v_found -> 0 ->> 'id')) IS NOT NULL
                THEN
                    v_try.found_by := 'both';
                END IF;
            END IF;
            RETURN QUERY SELECT f.id, f.name, v_try.found_by FROM jsonb_to_recordset(v_found) AS f (id uuid, name text);
            RETURN;
        END IF;
    END LOOP;
    RETURN QUERY SELECT f.id, f.name, 'near' FROM sessiondb.find_similar(p_kind, p_name) AS f;
END
$function$
