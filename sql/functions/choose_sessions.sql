CREATE OR REPLACE FUNCTION sessiondb.choose_sessions(p_user_ids uuid[], p_course_ids uuid[], p_by_enrollment boolean)
RETURNS TABLE (user_id uuid, course_id uuid, session_id uuid, reason text)
-- citus: LANGUAGE plpgsql /*
LANGUAGE sql
-- citus: */
STABLE
AS $function$
/*
 * The session that the triggers would choose now for each pair of a user and a course or, if there is none, the reason;
 * for backfill, explain, show and check. SECURITY INVOKER: callers see only what they may read themselves.
 *
 * p_by_enrollment: for submissions, whose first choice is the session of the student's enrolment; LIMIT 1 keeps the
 * joins in order as in link_submission. Where Citus distributes enrollments, these are read first: a query of theirs may
 * not be a part of another one for each row. Longer than a screen, with the lines for Citus.
 *
 * reason is the first that is true of: course_unknown; no_membership, the user is in no organisation;
 * no_session_for_course, no organisation has one, as if those without org_id did not exist; no_active_session, an
 * organisation of the user has sessions of the course, none of them active; session_in_other_org, only others have one.
 */
-- citus: #variable_conflict use_column
-- citus: DECLARE
-- citus:     v_enrolled pg_catalog.uuid[] := CASE WHEN p_by_enrollment THEN sessiondb.enrolled_sessions(p_user_ids, p_course_ids) END;
-- citus: BEGIN
-- citus: RETURN QUERY
WITH choice AS MATERIALIZED (
    SELECT p.user_id, p.course_id,
           coalesce(
               -- citus: p.enrolled, /*
               (SELECT eligible.id
                  FROM platform.enrollments AS e
                 CROSS JOIN LATERAL (
                        SELECT s.id, s.created_at
                          FROM platform.sessions AS s
                         WHERE s.id OPERATOR(pg_catalog.=) e.session_id
                           AND s.course_id OPERATOR(pg_catalog.=) e.course_id
                           AND s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active'
                           AND EXISTS (SELECT FROM platform.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id
                                       AND m.user_id OPERATOR(pg_catalog.=) e.user_id)
                         LIMIT 1
                       ) AS eligible
                 WHERE p_by_enrollment
                   AND e.user_id OPERATOR(pg_catalog.=) p.user_id
                   AND e.course_id OPERATOR(pg_catalog.=) p.course_id
                 ORDER BY eligible.created_at DESC NULLS LAST, eligible.id DESC
                 LIMIT 1),
               -- citus: */
               (SELECT newest.id
                  FROM platform.org_members AS m
                 CROSS JOIN LATERAL (
                        SELECT s.id, s.created_at
                          FROM platform.sessions AS s
                         WHERE s.org_id OPERATOR(pg_catalog.=) m.org_id
                           AND s.course_id OPERATOR(pg_catalog.=) p.course_id
                           AND s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active'
                         ORDER BY s.created_at DESC NULLS LAST, s.id DESC
                         LIMIT 1
                       ) AS newest
                 WHERE m.user_id OPERATOR(pg_catalog.=) p.user_id
                 ORDER BY newest.created_at DESC NULLS LAST, newest.id DESC
                 LIMIT 1)
           ) AS session_id
      FROM ROWS FROM (
           -- citus: pg_catalog.unnest(v_enrolled),
           pg_catalog.unnest(p_user_ids), pg_catalog.unnest(p_course_ids)) AS p (
           -- citus: enrolled,
           user_id, course_id)
)
SELECT c.user_id, c.course_id, c.session_id,
       CASE
           WHEN c.session_id IS NOT NULL THEN NULL
           WHEN c.course_id IS NULL
             OR NOT EXISTS (SELECT FROM platform.courses AS k WHERE k.id OPERATOR(pg_catalog.=) c.course_id) THEN 'course_unknown'
           WHEN NOT EXISTS (SELECT FROM platform.org_members AS m WHERE m.user_id OPERATOR(pg_catalog.=) c.user_id) THEN 'no_membership'
           -- DISTINCT: of many sessions, the planner would not hash all
           WHEN NOT c.course_id OPERATOR(pg_catalog.=) ANY (SELECT DISTINCT s.course_id FROM platform.sessions AS s
                                                            WHERE s.course_id IS NOT NULL AND s.org_id IS NOT NULL)
           THEN 'no_session_for_course'
           WHEN EXISTS (
                SELECT FROM platform.org_members AS m
                  JOIN platform.sessions AS s ON s.org_id OPERATOR(pg_catalog.=) m.org_id
                 WHERE m.user_id OPERATOR(pg_catalog.=) c.user_id AND s.course_id OPERATOR(pg_catalog.=) c.course_id) THEN 'no_active_session'
           ELSE 'session_in_other_org'
       END
  FROM choice AS c
-- citus: ;
-- citus: END
$function$
