CREATE OR REPLACE FUNCTION sessiondb.find_session(p_user_id uuid, p_course_id uuid)
RETURNS uuid
LANGUAGE plpgsql
AS $function$
/*
 * The session of a user in a course, for the triggers: of the active sessions of the course in the organisations of
 * which the user is a member, the one with the newest created_at (NULLs last); of several, the one with the greatest id.
 * NULL if there is none.
 *
 * FOR KEY SHARE is the lock that the foreign key acquires after the row is stored. Acquired here, it waits for a
 * transaction that is deleting the session, and then the next session is chosen: otherwise the row would be refused.
 * Only the chosen session is locked. Nearly every user is in one organisation; then it is chosen and locked by one
 * statement. With several organisations, their newest sessions are compared without locks; if the chosen one no longer
 * exists, is no longer active or is of another organisation when the lock is acquired, another one is chosen.
 *
 * Statements on one table each are cheaper than one on all, and a loop is the cheapest way to distinguish one row from
 * several (docs/performance-laboratory.md). Longer than a screen, because a call of a second function costs more, too.
 *
 * USING OPERATOR(pg_catalog.>) is DESC; for DESC, a new connection searches the operator classes of both types, which was
 * an eighth of its first enrolment.
 *
 * Columns are written without their table: if one were renamed, s.status would call a function status(s) of any role.
 * OPERATOR(pg_catalog.=): status may be an enum, for which the platform's schema may contain a more specific "=".
 *
 * #variable_conflict: a column of the platform may have the name of a variable.
 */
#variable_conflict use_variable
DECLARE
    v_org_id pg_catalog.uuid;
    v_orgs pg_catalog.int4 := 0;
    v_chosen pg_catalog.uuid;
    v_passed pg_catalog.uuid;
    v_session_id pg_catalog.uuid;
BEGIN
    -- citus: IF p_user_id IS NULL OR p_course_id IS NULL THEN
    -- citus:     RETURN NULL;
    -- citus: END IF;
    FOR v_org_id IN
        SELECT org_id
          FROM platform.org_members
         WHERE user_id OPERATOR(pg_catalog.=) p_user_id
    LOOP
        v_orgs := v_orgs OPERATOR(pg_catalog.+) 1;
    END LOOP;

    IF v_orgs OPERATOR(pg_catalog.=) 1 THEN
        SELECT id
          INTO v_session_id
          FROM platform.sessions
         WHERE org_id OPERATOR(pg_catalog.=) v_org_id
           AND course_id OPERATOR(pg_catalog.=) p_course_id
           AND status::pg_catalog.text OPERATOR(pg_catalog.=) 'active'
           -- citus: AND NOT EXISTS (SELECT FROM platform.enrollments WHERE user_id OPERATOR(pg_catalog.=) p_user_id LIMIT 0)
         ORDER BY created_at USING OPERATOR(pg_catalog.>) NULLS LAST, id USING OPERATOR(pg_catalog.>)
         LIMIT 1
           FOR KEY SHARE;
        RETURN v_session_id;
    END IF;

    WHILE v_orgs OPERATOR(pg_catalog.>) 1 LOOP
        SELECT newest.id, member.of_org
          INTO v_chosen, v_org_id
          FROM (SELECT org_id AS of_org
                  FROM platform.org_members
                 WHERE user_id OPERATOR(pg_catalog.=) p_user_id) AS member
         CROSS JOIN LATERAL (
                SELECT id, created_at
                  FROM platform.sessions
                 WHERE org_id OPERATOR(pg_catalog.=) member.of_org
                   AND course_id OPERATOR(pg_catalog.=) p_course_id
                   AND status::pg_catalog.text OPERATOR(pg_catalog.=) 'active'
                 ORDER BY created_at USING OPERATOR(pg_catalog.>) NULLS LAST, id USING OPERATOR(pg_catalog.>)
                 LIMIT 1
               ) AS newest
         ORDER BY newest.created_at USING OPERATOR(pg_catalog.>) NULLS LAST, newest.id USING OPERATOR(pg_catalog.>)
         LIMIT 1;
        -- chosen twice: a row policy shows it but does not allow to lock it
        EXIT WHEN v_chosen IS NULL OR v_chosen OPERATOR(pg_catalog.=) v_passed;

        SELECT id
          INTO v_session_id
          FROM platform.sessions
         WHERE id OPERATOR(pg_catalog.=) v_chosen
           AND org_id OPERATOR(pg_catalog.=) v_org_id
           AND course_id OPERATOR(pg_catalog.=) p_course_id
           AND status::pg_catalog.text OPERATOR(pg_catalog.=) 'active'
           -- citus: AND NOT EXISTS (SELECT FROM platform.enrollments WHERE user_id OPERATOR(pg_catalog.=) p_user_id LIMIT 0)
           FOR KEY SHARE;
        EXIT WHEN FOUND;
        v_passed := v_chosen;
    END LOOP;
    RETURN v_session_id;
END
$function$
