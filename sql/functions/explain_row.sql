CREATE OR REPLACE FUNCTION sessiondb.explain_row(p_table text, p_id uuid)
RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $function$
/*
 * explain_link() for the row of enrollments or submissions (p_table) with this id; NULL when there is none. PL/pgSQL,
 * because a platform's rows need not have an id: then this fails when it is called, not when it is created. No alias
 * before id, because e.id would call a function id(enrollments) that someone created.
 */
BEGIN
    IF p_table OPERATOR(pg_catalog.=) 'enrollments' THEN
        RETURN (
            SELECT sessiondb.explain_link(e.user_id, e.course_id, e.session_id, p_table, p_id)
              FROM platform.enrollments AS e
             WHERE id OPERATOR(pg_catalog.=) p_id);
    END IF;
    RETURN (
        SELECT sessiondb.explain_link(b.user_id, course_of(b), b.session_id, p_table, p_id)
          FROM platform.submissions AS b
         WHERE id OPERATOR(pg_catalog.=) p_id);
END
$function$
