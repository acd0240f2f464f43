CREATE OR REPLACE FUNCTION sessiondb.explain_row(p_table text, p_id uuid)
RETURNS jsonb
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * explain_link() for the row of enrollments or submissions (p_table) with this id; NULL if there is none. No alias
 * before id: without such a column, r.id would call a function id(enrollments) of any role.
 */
CALL sessiondb.require_trusted();
CALL sessiondb.require_types();
SELECT sessiondb.explain_link((f.row ->> 'user_id')::uuid, (f.row ->> 'course_id')::uuid, (f.row ->> 'session_id')::uuid, p_table, p_id)
  FROM (SELECT sessiondb.ask(format(
                   $row$
                   SELECT pg_catalog.jsonb_build_object('user_id', r.user_id, 'course_id', %s, 'session_id', r.session_id)
                     FROM %I.%I AS r
                    WHERE id OPERATOR(pg_catalog.=) %L
                   $row$,
                   CASE p_table WHEN 'submissions' THEN sessiondb.course_expression('r') ELSE 'r.course_id' END,
                   i.platform_schema, p_table, p_id)) AS row
          FROM sessiondb.installation AS i) AS f
 WHERE f.row IS NOT NULL
$function$
