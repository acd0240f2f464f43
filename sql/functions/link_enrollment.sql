CREATE OR REPLACE FUNCTION sessiondb.link_enrollment()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
-- citus: /*
SET plan_cache_mode = force_generic_plan
-- citus: */
AS $function$
/*
 * BEFORE INSERT or UPDATE on enrollments, only if session_id is NULL and was NULL: sets the session of the student in the
 * course. If there is none, it stays NULL; an enrolment never fails because no session exists.
 *
 * SECURITY DEFINER: students may enrol without the right to read org_members or sessions. Generic plans: no value makes
 * another plan better, and so the first five rows of a connection are not planned separately. The casts: of a domain, another
 * function of the name, which a role that might create objects in the schema left there, would fit better.
 */
BEGIN
    NEW.session_id := sessiondb.find_session(NEW.user_id::pg_catalog.uuid, NEW.course_id::pg_catalog.uuid);
    RETURN NEW;
END
$function$
