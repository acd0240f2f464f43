CREATE OR REPLACE FUNCTION sessiondb.link_session()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
SET plan_cache_mode = force_generic_plan
AS $function$
/*
 * BEFORE INSERT or UPDATE on enrollments or submissions (the argument names the table), only where session_id is NULL
 * and was: the session of the student in the course. For a submission that of the student's enrolment in the course,
 * while it is still eligible, so that a student of the autumn group stays in it when a winter group opens. None found
 * leaves NULL; a row never fails for want of a session.
 *
 * Nearly all students have one enrolment in a course and are members of one organisation: then what is chosen is locked
 * in the same statement. FOR KEY SHARE is the lock that the foreign key takes after the row is stored. Taken here, it
 * makes us wait for a transaction that is just deleting the session, and then go on to the next one: the row would be
 * refused otherwise. For several, find_enrolled_session() and find_session() compare first, without locks.
 *
 * Statements of one table are cheaper than one for all, and a loop is the cheapest way to tell one row from several
 * (docs/performance.md). Columns stand without the name of their table: were one renamed, s.status would be a call of a
 * function status(s), whoever made it. OPERATOR(pg_catalog.=): status may be an enum, for which somebody may have made
 * a more exact "=" in the platform's schema.
 *
 * In the source course_of() stands for the way to the course; sessiondb.compile() put the expression of this platform
 * in its place. SECURITY DEFINER: a student may write without the right to read org_members or sessions.
 */
DECLARE
    v_course_id pg_catalog.uuid;
    v_session_id pg_catalog.uuid;
    v_org_id pg_catalog.uuid;
    v_next pg_catalog.uuid;
    v_several pg_catalog.bool := false;
BEGIN
    IF TG_ARGV[0] OPERATOR(pg_catalog.=) 'submissions' THEN
        v_course_id := course_of(NEW);
        FOR v_next IN
            SELECT session_id
              FROM platform.enrollments
             WHERE user_id OPERATOR(pg_catalog.=) NEW.user_id
               AND course_id OPERATOR(pg_catalog.=) v_course_id
               AND session_id IS NOT NULL
        LOOP
            v_several := v_session_id IS NOT NULL;
            v_session_id := v_next;
        END LOOP;
        IF v_several THEN
            NEW.session_id := sessiondb.find_enrolled_session(NEW.user_id, v_course_id);
        ELSIF v_session_id IS NOT NULL THEN
            SELECT session.id
              INTO NEW.session_id
              FROM (SELECT id, org_id AS of_org
                      FROM platform.sessions
                     WHERE id OPERATOR(pg_catalog.=) v_session_id
                       AND course_id OPERATOR(pg_catalog.=) v_course_id
                       AND status OPERATOR(pg_catalog.=) 'active') AS session
             WHERE EXISTS (SELECT
                             FROM platform.org_members
                            WHERE org_id OPERATOR(pg_catalog.=) session.of_org
                              AND user_id OPERATOR(pg_catalog.=) NEW.user_id)
               FOR KEY SHARE OF session;
        END IF;
        IF NEW.session_id IS NOT NULL THEN
            RETURN NEW;
        END IF;
        v_several := false;
    ELSE
        v_course_id := NEW.course_id;
    END IF;

    FOR v_next IN
        SELECT org_id
          FROM platform.org_members
         WHERE user_id OPERATOR(pg_catalog.=) NEW.user_id
    LOOP
        v_several := v_org_id IS NOT NULL;
        v_org_id := v_next;
    END LOOP;
    IF v_several THEN
        NEW.session_id := sessiondb.find_session(NEW.user_id, v_course_id);
    ELSE
        SELECT id
          INTO NEW.session_id
          FROM platform.sessions
         WHERE org_id OPERATOR(pg_catalog.=) v_org_id
           AND course_id OPERATOR(pg_catalog.=) v_course_id
           AND status OPERATOR(pg_catalog.=) 'active'
         ORDER BY created_at DESC NULLS LAST, id DESC
         LIMIT 1
           FOR KEY SHARE;
    END IF;
    RETURN NEW;
END
$function$
