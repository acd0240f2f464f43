CREATE OR REPLACE FUNCTION sessiondb.link_submission()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
-- citus: /*
SET plan_cache_mode = force_generic_plan
-- citus: */
AS $function$
/*
 * BEFORE INSERT or UPDATE on submissions, only if session_id is NULL and was NULL: sets the session of the student's
 * enrolment in the course if it is still eligible (so a student of the autumn group stays in it when a winter group
 * opens), else the student's session in the course as for an enrolment. If there is none, it stays NULL; a submission
 * never fails because no session exists.
 *
 * Nearly every student has one enrolment in a course; find_enrolled_session() compares several. The query does not
 * contain session_id IS NOT NULL, because with old statistics an index of the rows with a session would look cheap. The
 * lock, the names of columns, and the loop that distinguishes one row from several are as in find_session(). The array of
 * organisations costs less than a join (docs/performance-laboratory.md). A column around a sub-select has a name of its
 * own there: if that in the sub-select were renamed, the same name would be looked up outside, and be found.
 *
 * In the source, course_of() stands for the path to the course; sessiondb.compile() replaced it with the expression for
 * this platform.
 *
 * SECURITY DEFINER and generic plans: as in link_enrollment().
 */
DECLARE
    v_session_id pg_catalog.uuid;
    v_course_id pg_catalog.uuid;
    v_enrollments pg_catalog.int4 := 0;
BEGIN
    -- citus: IF NEW.user_id IS NULL THEN
    -- citus:     RETURN NEW;
    -- citus: END IF;
    FOR v_session_id, v_course_id IN
        SELECT enrollment.of_session, enrollment.of_course
          FROM (SELECT session_id AS of_session, course_id AS of_course
                  FROM platform.enrollments
                 WHERE user_id OPERATOR(pg_catalog.=) NEW.user_id) AS enrollment
         WHERE enrollment.of_course OPERATOR(pg_catalog.=) course_of(NEW)
    LOOP
        v_enrollments := v_enrollments OPERATOR(pg_catalog.+) 1;
    END LOOP;

    -- citus: IF v_enrollments OPERATOR(pg_catalog.=) 1 AND v_session_id IS NULL THEN
    -- citus:     v_enrollments := 0;
    -- citus: END IF;
    IF v_enrollments OPERATOR(pg_catalog.=) 1 THEN
        SELECT session.id
          INTO NEW.session_id
          FROM (SELECT id, org_id AS of_org
                  FROM platform.sessions
                 WHERE id OPERATOR(pg_catalog.=) v_session_id
                   AND course_id OPERATOR(pg_catalog.=) v_course_id
                   AND status::pg_catalog.text OPERATOR(pg_catalog.=) 'active') AS session
         WHERE session.of_org OPERATOR(pg_catalog.=) ANY (ARRAY(
                SELECT org_id
                  FROM platform.org_members
                 WHERE user_id OPERATOR(pg_catalog.=) NEW.user_id))
           -- citus: AND NOT EXISTS (SELECT FROM platform.enrollments WHERE user_id OPERATOR(pg_catalog.=) NEW.user_id LIMIT 0)
           FOR KEY SHARE OF session;
    ELSIF v_enrollments OPERATOR(pg_catalog.>) 1 THEN
        NEW.session_id := sessiondb.find_enrolled_session(NEW.user_id, v_course_id);
    END IF;

    IF NEW.session_id IS NULL THEN
        NEW.session_id := sessiondb.find_session(NEW.user_id, course_of(NEW));
    END IF;
    RETURN NEW;
END
$function$
