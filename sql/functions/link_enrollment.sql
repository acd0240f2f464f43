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
 * Nearly every student is in one organisation. That case is the same here as in find_session(), where its statements are
 * explained: the call would cost a fiftieth of the trigger.
 *
 * SECURITY DEFINER: students may enrol without the right to read org_members or sessions. Generic plans: no value makes
 * another plan better, and so the first five rows of a connection are not planned separately.
 */
DECLARE
    v_org_id pg_catalog.uuid;
    v_orgs pg_catalog.int4 := 0;
BEGIN
    -- citus: NEW.session_id := sessiondb.find_session(NEW.user_id, NEW.course_id);
    -- citus: RETURN NEW;
    FOR v_org_id IN
        SELECT org_id
          FROM platform.org_members
         WHERE user_id OPERATOR(pg_catalog.=) NEW.user_id
    LOOP
        v_orgs := v_orgs OPERATOR(pg_catalog.+) 1;
    END LOOP;

    IF v_orgs OPERATOR(pg_catalog.=) 1 THEN
        SELECT id
          INTO NEW.session_id
          FROM platform.sessions
         WHERE org_id OPERATOR(pg_catalog.=) v_org_id
           AND course_id OPERATOR(pg_catalog.=) NEW.course_id
           AND status::pg_catalog.text OPERATOR(pg_catalog.=) 'active'
         ORDER BY created_at USING OPERATOR(pg_catalog.>) NULLS LAST, id USING OPERATOR(pg_catalog.>)
         LIMIT 1
           FOR KEY SHARE;
    ELSIF v_orgs OPERATOR(pg_catalog.>) 1 THEN
        NEW.session_id := sessiondb.find_session(NEW.user_id, NEW.course_id);
    END IF;
    RETURN NEW;
END
$function$
