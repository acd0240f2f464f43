CREATE OR REPLACE FUNCTION sessiondb.course_expression(p_row text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The SQL expression of the course of a row of submissions, for SQL that is put together; p_row is what the row is
 * called there. In a source, course_of() of a row is the same, put in by compile().
 */
SELECT array_to_string(i.course_pieces, p_row)
  FROM sessiondb.installation AS i
$function$
