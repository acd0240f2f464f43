CALL sessiondb.compile($compile$
CREATE OR REPLACE FUNCTION sessiondb.check_submission()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
/*
 * BEFORE INSERT or UPDATE on submissions, only where the client gave a session: it must fit.
 * course_of() is compiled as in link_submission.
 *
 * SECURITY DEFINER: the client need not be able to read org_members or sessions.
 */
BEGIN
    PERFORM sessiondb.require_coherent_session('submissions', NEW.session_id, NEW.user_id, course_of(NEW));
    RETURN NEW;
END
$function$
$compile$);

COMMENT ON FUNCTION sessiondb.check_submission() IS
    'Trigger function: refuses a session that is not of the submission''s course or of the student''s organisations';

REVOKE ALL ON FUNCTION sessiondb.check_submission() FROM PUBLIC;
