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
 * Only the chosen session is locked: the newest sessions of the organisations are compared without locks, and if the
 * chosen one no longer exists or is no longer active when the lock is acquired, another one is chosen.
 *
 * USING OPERATOR(pg_catalog.>) is DESC; for DESC, a new connection searches the operator classes of both types, which was
 * an eighth of its first call.
 *
 * Columns are written without their table: if one were renamed, s.status would call a function status(s) of any role.
 * OPERATOR(pg_catalog.=): status may be an enum, for which the platform's schema may contain a more specific "=".
 */
DECLARE
    v_chosen pg_catalog.uuid;
    v_passed pg_catalog.uuid;
    v_session_id pg_catalog.uuid;
BEGIN
    LOOP
        SELECT newest.id
          INTO v_chosen
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
