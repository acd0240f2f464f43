CREATE OR REPLACE FUNCTION sessiondb.link_submission()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
/*
 * BEFORE INSERT on submissions, only where session_id is NULL: the session of the student's enrolment in the course
 * while it is still eligible (so that a student of the autumn group stays in it when a winter group opens), else his
 * session in the course as for an enrolment. None found leaves NULL; a submission never fails for want of a session.
 *
 * FOR KEY SHARE and the names of columns as in find_session(). LIMIT 1 in the inner query keeps the planner from joining the other way round,
 * and so from reading all active sessions of the course in the student's organisations.
 *
 * In the source course_of() stands for the way to the course; sessiondb.compile() put the expression of this platform
 * in its place.
 *
 * SECURITY DEFINER: a student may submit without the right to read org_members or sessions.
 */
DECLARE
    v_course_id pg_catalog.uuid := course_of(NEW);
BEGIN
    SELECT eligible.id
      INTO NEW.session_id
      FROM (SELECT session_id AS of_session
              FROM platform.enrollments
             WHERE user_id OPERATOR(pg_catalog.=) NEW.user_id
               AND course_id OPERATOR(pg_catalog.=) v_course_id) AS enrollment
     CROSS JOIN LATERAL (
            SELECT found.id, found.created_at
              FROM (SELECT id, org_id AS of_org, created_at
                      FROM platform.sessions
                     WHERE id OPERATOR(pg_catalog.=) enrollment.of_session
                       AND course_id OPERATOR(pg_catalog.=) v_course_id
                       AND status OPERATOR(pg_catalog.=) 'active') AS found
             WHERE EXISTS (SELECT
                             FROM platform.org_members
                            WHERE org_id OPERATOR(pg_catalog.=) found.of_org
                              AND user_id OPERATOR(pg_catalog.=) NEW.user_id)
             LIMIT 1
               FOR KEY SHARE OF found
           ) AS eligible
     ORDER BY eligible.created_at DESC NULLS LAST, eligible.id DESC
     LIMIT 1;

    IF NOT FOUND THEN
        NEW.session_id := sessiondb.find_session(NEW.user_id, v_course_id);
    END IF;
    RETURN NEW;
END
$function$
