CREATE OR REPLACE FUNCTION sessiondb.find_session(p_user_id uuid, p_course_id uuid)
RETURNS uuid
LANGUAGE plpgsql
AS $function$
/*
 * The session in a course of a user of several organisations, for link_session(): of the active sessions of the course
 * in these organisations the one with the newest created_at (unknown dates last), and of several such the one with the
 * greatest id. NULL when there is none.
 *
 * The newest ones, one for each organisation, are compared without locks, and only the one that is chosen is locked, as
 * in link_session(); if it is gone by then, or not active any more, another one is chosen.
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
                   AND status OPERATOR(pg_catalog.=) 'active'
                 ORDER BY created_at DESC NULLS LAST, id DESC
                 LIMIT 1
               ) AS newest
         ORDER BY newest.created_at DESC NULLS LAST, newest.id DESC
         LIMIT 1;
        -- chosen twice: a row policy shows it and does not let it be locked
        EXIT WHEN v_chosen IS NULL OR v_chosen OPERATOR(pg_catalog.=) v_passed;

        SELECT id
          INTO v_session_id
          FROM platform.sessions
         WHERE id OPERATOR(pg_catalog.=) v_chosen
           AND course_id OPERATOR(pg_catalog.=) p_course_id
           AND status OPERATOR(pg_catalog.=) 'active'
           FOR KEY SHARE;
        EXIT WHEN FOUND;
        v_passed := v_chosen;
    END LOOP;
    RETURN v_session_id;
END
$function$
