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
 * Nearly every student is in one organisation; find_session() compares the sessions of several. This is its query for one,
 * and chooses and locks by one statement. Statements on one table each are cheaper than one on all, and a loop is the
 * cheapest way to distinguish one row from several (docs/performance-laboratory.md).
 *
 * SECURITY DEFINER: students may enrol without the right to read org_members or sessions. Generic plans: no value makes
 * another plan better, and so the first five rows of a connection are not planned separately.
 */
DECLARE
    v_org_id pg_catalog.uuid;
    v_orgs pg_catalog.int4 := 0;
    v_session_id pg_catalog.uuid;
BEGIN
    -- citus: IF NEW.user_id IS NULL OR NEW.course_id IS NULL THEN
    -- citus:     RETURN NEW;
    -- citus: END IF;
    FOR v_org_id IN
        SELECT org_id
          FROM platform.org_members
         WHERE user_id OPERATOR(pg_catalog.=) NEW.user_id
    LOOP
        v_orgs := v_orgs OPERATOR(pg_catalog.+) 1;
    END LOOP;

    IF v_orgs OPERATOR(pg_catalog.=) 1 THEN
        SELECT id
          INTO v_session_id
          FROM platform.sessions
         WHERE org_id OPERATOR(pg_catalog.=) v_org_id
           AND course_id OPERATOR(pg_catalog.=) NEW.course_id
           AND status::pg_catalog.text OPERATOR(pg_catalog.=) 'active'
           -- citus: AND NOT EXISTS (SELECT FROM platform.enrollments WHERE user_id OPERATOR(pg_catalog.=) NEW.user_id LIMIT 0)
         ORDER BY created_at USING OPERATOR(pg_catalog.>) NULLS LAST, id USING OPERATOR(pg_catalog.>)
         LIMIT 1
           FOR KEY SHARE;
        NEW.session_id := v_session_id;
    ELSIF v_orgs OPERATOR(pg_catalog.>) 1 THEN
        NEW.session_id := sessiondb.find_session(NEW.user_id, NEW.course_id);
    END IF;
    RETURN NEW;
END
$function$
