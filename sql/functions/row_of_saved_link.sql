CREATE OR REPLACE FUNCTION sessiondb.row_of_saved_link(p_table text, p_relation regclass)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The query, as text, of what the table of saved links of enrollments or submissions (p_table) has of row $1 of p_relation, as jsonb.
 * Not of the whole row: jsonb holds no string of 256 MB, and a type of the platform may have a cast to json that fails.
 */
SELECT format('SELECT pg_catalog.jsonb_build_object(%s)', string_agg(format('%L::pg_catalog.text, ($1).%I', a.attname, a.attname), ', ' ORDER BY a.attnum))
  FROM pg_attribute AS a
  JOIN pg_attribute AS s ON s.attname = a.attname AND s.attnum > 0 AND NOT s.attisdropped
 WHERE a.attrelid = p_relation AND a.attnum > 0 AND NOT a.attisdropped
   AND s.attrelid = to_regclass(format('sessiondb.%I', 'saved_links_of_' || p_table))
$function$
