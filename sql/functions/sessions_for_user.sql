CREATE OR REPLACE FUNCTION sessiondb.sessions_for_user(p_user_id uuid)
RETURNS SETOF uuid
LANGUAGE plpgsql STABLE
AS $function$
/*
 * The sessions that the rules choose now for the rows of a user that have none.
 */
DECLARE
    v_enrolled pg_catalog.uuid[] := ARRAY(
        SELECT DISTINCT e.course_id FROM platform.enrollments AS e WHERE e.user_id OPERATOR(pg_catalog.=) p_user_id AND e.session_id IS NULL);
    v_submitted pg_catalog.uuid[] := ARRAY(
        SELECT DISTINCT course_of(r) FROM platform.submissions AS r WHERE r.user_id OPERATOR(pg_catalog.=) p_user_id AND r.session_id IS NULL);
BEGIN
    RETURN QUERY
        SELECT DISTINCT h.session_id
          FROM (VALUES (v_enrolled, false), (v_submitted, true)) AS k (course_ids, is_submission)
         CROSS JOIN LATERAL sessiondb.choose_sessions(
                   ARRAY(SELECT p_user_id FROM pg_catalog.unnest(k.course_ids)), k.course_ids, k.is_submission) AS h
         WHERE h.session_id IS NOT NULL
         ORDER BY h.session_id;
END
$function$
