CREATE OR REPLACE FUNCTION sessiondb.enrolled_sessions(p_user_ids uuid[], p_course_ids uuid[])
RETURNS uuid[]
LANGUAGE plpgsql STABLE
AS $function$
/*
 * For each pair of a user and a course the newest session, still eligible, of the user's enrolments in it, for
 * choose_sessions() where Citus distributes enrollments. They are read by themselves, for all pairs at once.
 */
DECLARE
    v_user_ids pg_catalog.uuid[];
    v_course_ids pg_catalog.uuid[];
    v_session_ids pg_catalog.uuid[];
    v_newest pg_catalog.uuid[];
BEGIN
    SELECT pg_catalog.array_agg(e.user_id), pg_catalog.array_agg(e.course_id), pg_catalog.array_agg(e.session_id)
      INTO v_user_ids, v_course_ids, v_session_ids
      FROM platform.enrollments AS e
     WHERE e.user_id OPERATOR(pg_catalog.=) ANY (p_user_ids) AND e.session_id IS NOT NULL;

    WITH eligible AS (
        SELECT DISTINCT ON (e.user_id, e.course_id) e.user_id, e.course_id, s.id
          FROM ROWS FROM (pg_catalog.unnest(v_user_ids), pg_catalog.unnest(v_course_ids), pg_catalog.unnest(v_session_ids))
               AS e (user_id, course_id, session_id)
          JOIN platform.sessions AS s ON s.id OPERATOR(pg_catalog.=) e.session_id AND s.course_id OPERATOR(pg_catalog.=) e.course_id
         WHERE s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active'
           AND EXISTS (SELECT FROM platform.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id
                       AND m.user_id OPERATOR(pg_catalog.=) e.user_id)
         ORDER BY e.user_id, e.course_id, s.created_at DESC NULLS LAST, s.id DESC
    )
    SELECT pg_catalog.array_agg(e.id ORDER BY p.place)
      INTO v_newest
      FROM ROWS FROM (pg_catalog.unnest(p_user_ids), pg_catalog.unnest(p_course_ids)) WITH ORDINALITY AS p (user_id, course_id, place)
      LEFT JOIN eligible AS e ON e.user_id OPERATOR(pg_catalog.=) p.user_id AND e.course_id OPERATOR(pg_catalog.=) p.course_id;
    RETURN v_newest;
END
$function$
