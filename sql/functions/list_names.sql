CREATE OR REPLACE FUNCTION sessiondb.list_names(p_kind text)
RETURNS SETOF text
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * What a shell may offer for a course, organisation or session (p_kind as for names_in): the slugs, or the names if the
 * platform has no slugs; sorted, at most 1000.
 */
SELECT n.name
  FROM sessiondb.names_in(p_kind) AS t
 CROSS JOIN LATERAL jsonb_array_elements_text(sessiondb.ask(format(
       $names$
       SELECT pg_catalog.jsonb_agg(DISTINCT f.name)
         FROM (SELECT %1$I::pg_catalog.text AS name FROM %2$s WHERE %1$I IS NOT NULL LIMIT 1000) AS f
       $names$,
       CASE WHEN 'slug' = ANY (t.columns) THEN 'slug' ELSE t.columns[1] END, t.relation))) AS n (name)
 WHERE t.columns IS NOT NULL
 ORDER BY n.name
$function$
