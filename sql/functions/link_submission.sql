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
 * lock, the names of columns, and the loop that distinguishes one row from several are as in find_session().
 *
 * In the source, course_of() stands for the path to the course; sessiondb.compile() replaced it with the expression for
 * this platform. It is evaluated in the query of the enrolments, because a statement of its own costs more, but in a
 * sub-select of its own: below WHERE, a column that was renamed would be looked up in enrollments, and be found.
 *
 * OFFSET keeps the planner from joining sessions and org_members: planning the join was a sixth of a new connection's
 * first call, and starting it costs more per row than starting a subplan. It is '0', because for 0 a new connection looks
 * up the cast from integer to bigint. PERFORM without a column costs less than SELECT INTO.
 *
 * SECURITY DEFINER, generic plans and casts: as in link_enrollment().
 *
 * #variable_conflict: a column of the platform may have the name of a variable.
 */
#variable_conflict use_variable
DECLARE
    v_course_id pg_catalog.uuid;
    v_session_id pg_catalog.uuid;
    v_enrollments pg_catalog.int4 := 0;
BEGIN
    -- citus: v_course_id := course_of(NEW);
    -- citus: IF NEW.user_id IS NULL OR v_course_id IS NULL THEN
    -- citus:     RETURN NEW;
    -- citus: END IF;
    FOR v_session_id, v_course_id IN
        SELECT session_id, course_id
          FROM platform.enrollments
          -- citus: /*
          JOIN (SELECT course_of(NEW) AS of_course) AS submission ON course_id OPERATOR(pg_catalog.=) submission.of_course
          -- citus: */
         WHERE user_id OPERATOR(pg_catalog.=) NEW.user_id
           -- citus: AND course_id OPERATOR(pg_catalog.=) v_course_id
    LOOP
        v_enrollments := v_enrollments OPERATOR(pg_catalog.+) 1;
    END LOOP;

    -- citus: IF v_enrollments OPERATOR(pg_catalog.=) 1 AND v_session_id IS NULL THEN
    -- citus:     v_enrollments := 0;
    -- citus: END IF;
    IF v_enrollments OPERATOR(pg_catalog.=) 1 THEN
        PERFORM FROM (SELECT id, org_id AS of_org
                        FROM platform.sessions
                       WHERE id OPERATOR(pg_catalog.=) v_session_id
                         AND course_id OPERATOR(pg_catalog.=) v_course_id
                         AND status::pg_catalog.text OPERATOR(pg_catalog.=) 'active') AS session
          WHERE EXISTS (SELECT
                          FROM platform.org_members
                         WHERE org_id OPERATOR(pg_catalog.=) session.of_org
                           AND user_id OPERATOR(pg_catalog.=) NEW.user_id
                        -- citus: /*
                        OFFSET '0'
                        -- citus: */
                       )
            -- citus: AND NOT EXISTS (SELECT FROM platform.enrollments WHERE user_id OPERATOR(pg_catalog.=) NEW.user_id LIMIT 0)
            FOR KEY SHARE OF session;
        IF FOUND THEN
            NEW.session_id := v_session_id;
            RETURN NEW;
        END IF;
    ELSIF v_enrollments OPERATOR(pg_catalog.>) 1 THEN
        NEW.session_id := sessiondb.find_enrolled_session(NEW.user_id::pg_catalog.uuid, v_course_id);
    END IF;

    IF NEW.session_id IS NULL THEN
        IF v_course_id IS NULL THEN
            v_course_id := course_of(NEW);
        END IF;
        NEW.session_id := sessiondb.find_session(NEW.user_id::pg_catalog.uuid, v_course_id);
    END IF;
    RETURN NEW;
END
$function$
