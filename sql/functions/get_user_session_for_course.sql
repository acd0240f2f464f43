CREATE OR REPLACE FUNCTION platform.get_user_session_for_course(p_user_id uuid, p_course_id uuid)
RETURNS uuid
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
AS $function$
/*
 * The session of a user in a course, for the platform: the same as sessiondb.find_session(), except for the lock. There
 * are two functions because applications have no access to schema sessiondb, and the triggers must not depend on objects
 * in the platform's schema, where another function of this name could make their call ambiguous.
 *
 * SECURITY INVOKER: it returns nothing that the caller's own rights and row policies hide.
 *
 * #variable_conflict: a column of the platform may have the name of a variable.
 */
#variable_conflict use_variable
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
               AND status::pg_catalog.text OPERATOR(pg_catalog.=) 'active'
             ORDER BY created_at USING OPERATOR(pg_catalog.>) NULLS LAST, id USING OPERATOR(pg_catalog.>)
             LIMIT 1
           ) AS newest
     ORDER BY newest.created_at USING OPERATOR(pg_catalog.>) NULLS LAST, newest.id USING OPERATOR(pg_catalog.>)
     LIMIT 1;

    RETURN v_session_id;
END
$function$
