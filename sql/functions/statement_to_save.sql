CREATE OR REPLACE FUNCTION sessiondb.statement_to_save(p_table text, p_columns text[], p_has_belongs_to boolean, p_row text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * For save_link(): the statement, as text, that saves the link of the row of enrollments or submissions (p_table) that query p_row returns,
 * to session $2, with the organisation and the course of the session, $3, if there is a column for it. p_columns are the quoted columns
 * by which a saved link is found: they are not read from the catalogs, of which a transaction may have an older snapshot.
 */
SELECT format('INSERT INTO sessiondb.%1$I AS r (session_id, %2$s%3$s) SELECT $2, %2$s%4$s FROM (%8$s) AS x '
              'ON CONFLICT ON CONSTRAINT %5$I DO UPDATE SET (session_id, %2$s%3$s) = ROW (EXCLUDED.session_id, EXCLUDED.%6$s%7$s)',
              'saved_links_of_' || p_table, array_to_string(p_columns, ', '), CASE WHEN p_has_belongs_to THEN ', session_belongs_to' END,
              CASE WHEN p_has_belongs_to THEN ', $3' END,
              'saved_links_of_' || p_table || '_pkey',
              array_to_string(p_columns, ', EXCLUDED.'), CASE WHEN p_has_belongs_to THEN
                  -- a policy may hide from this client what is known of the same session
                  ', CASE WHEN EXCLUDED.session_belongs_to OPERATOR(pg_catalog.=) '''' AND r.session_id OPERATOR(pg_catalog.=) EXCLUDED.session_id'
                  ' THEN r.session_belongs_to ELSE EXCLUDED.session_belongs_to END' END,
              p_row)
$function$
