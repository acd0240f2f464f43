CREATE OR REPLACE FUNCTION sessiondb.explain_submission(p_id uuid)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path FROM CURRENT
AS $function$
/*
 * explain_link() for the submission with this id; NULL when there is none. As in explain_enrollment, b.id
 * could be a function.
 */
BEGIN
    RETURN (
        SELECT sessiondb.explain_link(b.user_id, course_of(b), b.session_id, 'submissions', p_id)
          FROM submissions AS b
         WHERE id OPERATOR(pg_catalog.=) p_id
    );
END
$function$
