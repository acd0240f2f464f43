CREATE OR REPLACE FUNCTION sessiondb.check_enrollment()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
/*
 * BEFORE INSERT or UPDATE on enrollments, only where the client gave a session: it must fit.
 *
 * SECURITY DEFINER: the client need not be able to read org_members or sessions.
 */
BEGIN
    PERFORM sessiondb.require_coherent_session('enrollments', NEW.session_id, NEW.user_id, NEW.course_id);
    RETURN NEW;
END
$function$;

COMMENT ON FUNCTION sessiondb.check_enrollment() IS
    'Trigger function: refuses a session that is not of the enrolment''s course or of the student''s organisations';

REVOKE ALL ON FUNCTION sessiondb.check_enrollment() FROM PUBLIC;
