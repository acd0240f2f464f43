CREATE OR REPLACE FUNCTION sessiondb.course_expression(p_row text)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The SQL expression of the course of a row of submissions, for dynamic SQL; p_row is the name of the row there. In a
 * source, compile() replaces course_of() with the same expression.
 */
SELECT array_to_string(i.course_pieces, p_row)
  FROM sessiondb.installation AS i
$function$
