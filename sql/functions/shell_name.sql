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
           SELECT CASE WHEN n.name ~ '^[A-Za-z0-9@._+-]+$' THEN n.name ELSE '''' || replace(n.name, '''', '''\''''') || '''' END
             FROM sessiondb.names_in(p_kind) AS t
            CROSS JOIN LATERAL jsonb_array_elements_text(sessiondb.ask(format(
                   'SELECT pg_catalog.jsonb_build_array(%s) FROM %s AS r WHERE r.%I OPERATOR(pg_catalog.=) %L',
                   (SELECT string_agg(format('r.%I::pg_catalog.text', c.name), ', ' ORDER BY c.place) FROM unnest(t.columns) WITH ORDINALITY AS c (name, place)),
                   t.relation, t.key, p_id))) WITH ORDINALITY AS n (name, place)
            WHERE t.columns IS NOT NULL
              AND n.name ~ '^[^- ].{0,59}$'
              AND n.name !~ '[:/=\\]'
              -- invisible characters, as output.py escapes them
              AND n.name !~ ('[\x01-\x1f\x7f-\xa0\u2028\u2029\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5\u180b-\u180f'
                             '\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd'
                             '\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]')
              AND replace(n.name, '-', '') !~* '^[0-9a-f]{32}$'
              AND (SELECT count(*) = 1 AND bool_and(f.id = p_id AND f.found_by <> 'near') FROM sessiondb.find_named(p_kind, n.name) AS f)
            ORDER BY n.place
            LIMIT 1), p_id::text)
$function$
