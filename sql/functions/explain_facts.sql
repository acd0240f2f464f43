CREATE OR REPLACE FUNCTION sessiondb.explain_facts(p_user_id uuid, p_course_id uuid, p_session_id uuid, p_by_enrollment boolean)
RETURNS jsonb
LANGUAGE plpgsql STABLE
AS $function$
/*
 * The facts in the platform's tables that explain_link() reports:
 *
 * choice, without_enrollment  the result of choose_sessions(), and the session that it would choose for an enrolment
 * is_seen                     the user has a membership, an enrolment or a submission
 * is_course                   there is such a course
 * memberships                 of the user: org_id, role
 * rows                        of the user in the course, by table and session
 * sessions                    of the course: the organisations that have some, the user's first, at most 20, with
 *                             the titles of the five newest
 * link                        of the session that the row is linked to: course_id, org_id, is_member
 * best                        the session for a fix: of the user's organisations if they have one, active if one is
 * any_org                     an organisation
 */
DECLARE
    -- by themselves, for Citus
    v_choice pg_catalog.jsonb := (SELECT pg_catalog.to_jsonb(c.*)
                                  FROM sessiondb.choose_sessions(ARRAY[p_user_id], ARRAY[p_course_id], p_by_enrollment) AS c);
    v_without pg_catalog.uuid := (SELECT c.session_id FROM sessiondb.choose_sessions(ARRAY[p_user_id], ARRAY[p_course_id], false) AS c);
    v_facts pg_catalog.jsonb;
BEGIN
    SELECT pg_catalog.jsonb_build_object(
        'choice', v_choice, 'without_enrollment', v_without,
        'is_seen', EXISTS (SELECT FROM platform.org_members AS m WHERE m.user_id OPERATOR(pg_catalog.=) p_user_id)
                OR EXISTS (SELECT FROM platform.enrollments AS e WHERE e.user_id OPERATOR(pg_catalog.=) p_user_id)
                OR EXISTS (SELECT FROM platform.submissions AS b WHERE b.user_id OPERATOR(pg_catalog.=) p_user_id),
        'is_course', EXISTS (SELECT FROM platform.courses AS k WHERE k.id OPERATOR(pg_catalog.=) p_course_id),
        'memberships', coalesce((
            SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('org_id', m.org_id, 'role', ({optional(m, role)})) ORDER BY m.org_id)
              FROM platform.org_members AS m
             WHERE m.user_id OPERATOR(pg_catalog.=) p_user_id), '[]'),
        'rows', coalesce((
            SELECT pg_catalog.jsonb_agg(r.*)
              FROM (SELECT 'enrollments' AS table_name, e.session_id, pg_catalog.count(*) AS rows
                      FROM platform.enrollments AS e
                     WHERE e.user_id OPERATOR(pg_catalog.=) p_user_id AND e.course_id OPERATOR(pg_catalog.=) p_course_id
                     GROUP BY e.session_id
                    UNION ALL
                    SELECT 'submissions', b.session_id, pg_catalog.count(*)
                      FROM platform.submissions AS b
                     WHERE b.user_id OPERATOR(pg_catalog.=) p_user_id AND course_of(b) OPERATOR(pg_catalog.=) p_course_id
                     GROUP BY b.session_id) AS r), '[]'),
        'sessions', coalesce((
            SELECT pg_catalog.jsonb_agg(o.*)
              FROM (SELECT s.org_id,
                           EXISTS (SELECT FROM platform.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id
                                   AND m.user_id OPERATOR(pg_catalog.=) p_user_id) AS mine,
                           pg_catalog.count(*) AS sessions,
                           pg_catalog.count(*) FILTER (WHERE s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active') AS active,
                           (pg_catalog.array_agg(
                               pg_catalog.format('"%s" %s', coalesce(({optional(s, title)}), s.id::pg_catalog.text), s.status)
                               ORDER BY s.created_at DESC NULLS LAST, s.id DESC))[1:5] AS titles,
                           (SELECT ({optional(g, name)}) FROM platform.orgs AS g WHERE g.id OPERATOR(pg_catalog.=) s.org_id) AS name
                      FROM platform.sessions AS s
                     WHERE s.course_id OPERATOR(pg_catalog.=) p_course_id AND s.org_id IS NOT NULL
                     GROUP BY s.org_id
                     ORDER BY mine DESC, name, s.org_id
                     LIMIT 20) AS o), '[]'),
        'link', coalesce((
            SELECT pg_catalog.jsonb_build_object('course_id', s.course_id, 'org_id', s.org_id, 'is_member', EXISTS (
                       SELECT FROM platform.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id
                           AND m.user_id OPERATOR(pg_catalog.=) p_user_id))
              FROM platform.sessions AS s
             WHERE s.id OPERATOR(pg_catalog.=) p_session_id), '{}'),
        'best', coalesce((
            SELECT pg_catalog.jsonb_build_object('id', s.id, 'org_id', s.org_id, 'is_active',
                                                 s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active')
              FROM platform.sessions AS s
             WHERE s.course_id OPERATOR(pg_catalog.=) p_course_id AND s.org_id IS NOT NULL
             ORDER BY EXISTS (SELECT FROM platform.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id
                              AND m.user_id OPERATOR(pg_catalog.=) p_user_id) DESC,
                      (s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active') DESC NULLS LAST, s.created_at DESC NULLS LAST, s.id DESC
             LIMIT 1), '{}'),
        'any_org', (SELECT o.id FROM platform.orgs AS o ORDER BY o.id LIMIT 1))
      INTO v_facts;
    RETURN v_facts;
END
$function$
