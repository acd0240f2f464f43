CREATE OR REPLACE FUNCTION sessiondb.find_enrolled_session(p_user_id uuid, p_course_id uuid)
RETURNS uuid
LANGUAGE plpgsql
AS $function$
/*
 * The session of a student with several enrolments in a course, for link_submission(): the newest of their sessions that
 * are still eligible, in the order of find_session(). NULL if there is none.
 *
 * They are compared without locks, and only the chosen one is locked, as in find_session(). LIMIT 1 in the inner query
 * keeps the planner from joining in the other order, which would read all active sessions of the course.
 *
 * #variable_conflict: a column of the platform may have the name of a variable.
 */
#variable_conflict use_variable
DECLARE
    v_chosen pg_catalog.uuid;
    v_org_id pg_catalog.uuid;
    v_passed pg_catalog.uuid;
    v_session_id pg_catalog.uuid;
BEGIN
    LOOP
        SELECT eligible.id, eligible.of_org
          INTO v_chosen, v_org_id
          FROM (SELECT session_id AS of_session
                  FROM platform.enrollments
                 WHERE user_id OPERATOR(pg_catalog.=) p_user_id
                   AND course_id OPERATOR(pg_catalog.=) p_course_id) AS enrollment
         CROSS JOIN LATERAL (
                SELECT found.id, found.of_org, found.created_at
                  FROM (SELECT id, org_id AS of_org, created_at
                          FROM platform.sessions
                         WHERE id OPERATOR(pg_catalog.=) enrollment.of_session
                           AND course_id OPERATOR(pg_catalog.=) p_course_id
                           AND status::pg_catalog.text OPERATOR(pg_catalog.=) 'active') AS found
                 WHERE EXISTS (SELECT
                                 FROM platform.org_members
                                WHERE org_id OPERATOR(pg_catalog.=) found.of_org
                                  AND user_id OPERATOR(pg_catalog.=) p_user_id)
                 LIMIT 1
               ) AS eligible
         ORDER BY eligible.created_at USING OPERATOR(pg_catalog.>) NULLS LAST, eligible.id USING OPERATOR(pg_catalog.>)
         LIMIT 1;
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
