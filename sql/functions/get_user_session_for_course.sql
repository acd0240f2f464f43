CREATE OR REPLACE FUNCTION platform.get_user_session_for_course(p_user_id uuid, p_course_id uuid)
RETURNS uuid
LANGUAGE plpgsql STABLE
PARALLEL SAFE
SET search_path FROM CURRENT
AS $function$
/*
 * The session of a user in a course, for the platform to ask: word for word sessiondb.find_session(), but for the lock.
 * Two of them, because an application has no way into schema sessiondb, and the triggers must not depend on what others
 * may make in the platform's schema, where one more function of this name would do to make their call ambiguous.
 *
 * SECURITY INVOKER: it returns nothing that the caller's own rights and row policies hide.
 */
DECLARE
    v_session_id pg_catalog.uuid;
BEGIN
    SELECT newest.id
      INTO v_session_id
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

    RETURN v_session_id;
END
$function$
