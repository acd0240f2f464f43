CREATE OR REPLACE FUNCTION sessiondb.explain_enrollment(p_id uuid)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path FROM CURRENT
AS $function$
/*
 * explain_link() for the enrolment with this id; NULL when there is none. PL/pgSQL, because a platform's
 * enrolments need not have an id: then this fails when it is called, not when it is made; e.id would
 * call a function id(enrollments) that somebody made.
 */
BEGIN
    RETURN (
        SELECT sessiondb.explain_link(e.user_id, e.course_id, e.session_id, 'enrollments', p_id)
          FROM enrollments AS e
         WHERE id OPERATOR(pg_catalog.=) p_id
    );
END
$function$
