CREATE OR REPLACE FUNCTION sessiondb.explain_choice(
    p_user_id uuid, p_course_id uuid, p_session_id uuid, p_table text, p_row_id uuid, p_fixes jsonb,
    OUT session_id uuid, OUT reason text, OUT ok boolean, OUT detail text, OUT fix text
)
LANGUAGE sql STABLE
AS $function$
/*
 * The last step of explain_link(), with the arguments of that: the session, the reason, and what to do. The rules are
 * those of the triggers; choose_sessions() decides. p_fixes holds the fixes of the steps before, by step.
 */
WITH choice AS (
    SELECT CASE WHEN p_session_id IS NOT NULL THEN 'already_linked' ELSE coalesce(c.reason, 'linked') END AS reason,
           c.session_id, w.session_id AS without_enrollment,
           CASE WHEN c.session_id OPERATOR(pg_catalog.=) p_session_id THEN 'the same one'
                ELSE coalesce(sessiondb.name_of('session', c.session_id), 'none (' OPERATOR(pg_catalog.||) c.reason OPERATOR(pg_catalog.||) ')') END AS today
      FROM sessiondb.choose_sessions(ARRAY[p_user_id], ARRAY[p_course_id], coalesce(p_table OPERATOR(pg_catalog.<>) 'enrollments', true)) AS c
     CROSS JOIN sessiondb.choose_sessions(ARRAY[p_user_id], ARRAY[p_course_id], false) AS w
),
-- a link may have been right once
link AS (
    SELECT CASE WHEN s.course_id OPERATOR(pg_catalog.<>) p_course_id
                THEN pg_catalog.format('the session is of course %s, the row of course %s', s.course_id, p_course_id)
                WHEN NOT EXISTS (SELECT FROM platform.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id AND m.user_id OPERATOR(pg_catalog.=) p_user_id)
                THEN pg_catalog.format('the session is of %s, of which the user is no member', sessiondb.name_of('org', s.org_id)) END AS fault
      FROM platform.sessions AS s
     WHERE s.id OPERATOR(pg_catalog.=) p_session_id
),
-- the session that a fix is about: of the user's organisations if they have one, an active one if there is
best AS (
    SELECT s.id, s.org_id,
           CASE WHEN s.status OPERATOR(pg_catalog.=) 'active'
                THEN pg_catalog.format(' %s has an active one: %s.', sessiondb.name_of('org', s.org_id), sessiondb.name_of('session', s.id)) END AS offer
      FROM platform.sessions AS s
     WHERE s.course_id OPERATOR(pg_catalog.=) p_course_id
     ORDER BY EXISTS (SELECT FROM platform.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id AND m.user_id OPERATOR(pg_catalog.=) p_user_id) DESC,
              (s.status OPERATOR(pg_catalog.=) 'active') DESC NULLS LAST, s.created_at DESC NULLS LAST, s.id DESC
     LIMIT 1
),
membership AS (
    SELECT coalesce(
               p_fixes OPERATOR(pg_catalog.->>) 'user'::pg_catalog.text,
               sessiondb.org_command('member', coalesce((SELECT b.org_id FROM best AS b), (SELECT o.id FROM platform.orgs AS o ORDER BY o.id LIMIT 1)), p_user_id),
               CASE WHEN p_user_id IS NULL THEN 'Give the row a user.' ELSE 'sessiondb org create --name ''My organisation'' --slug my-organisation' END) AS fix
)
SELECT coalesce(p_session_id, c.session_id), c.reason, coalesce(p_session_id, c.session_id) IS NOT NULL AND l.fault IS NULL, a.detail, a.fix
  FROM choice AS c
 CROSS JOIN membership AS m
  LEFT JOIN link AS l ON true
  LEFT JOIN best AS b ON true
 CROSS JOIN LATERAL (VALUES
        ('already_linked',
         coalesce('The link is wrong: ' OPERATOR(pg_catalog.||) l.fault OPERATOR(pg_catalog.||) '.', 'A row that is linked stays in its session.') OPERATOR(pg_catalog.||) ' Today the rules would choose ' OPERATOR(pg_catalog.||) c.today OPERATOR(pg_catalog.||) '.',
         CASE WHEN l.fault IS NOT NULL AND p_row_id IS NOT NULL
              THEN pg_catalog.format('UPDATE %I.%I SET session_id = %L WHERE id = %L', (SELECT i.platform_schema FROM sessiondb.installation AS i), p_table, c.session_id, p_row_id) END),
        ('course_unknown',
         'Without a course there is no session to choose.',
         coalesce(p_fixes OPERATOR(pg_catalog.->>) 'course'::pg_catalog.text, pg_catalog.format('Check the id of the course: SELECT * FROM %I.courses', (SELECT i.platform_schema FROM sessiondb.installation AS i)))),
        ('linked',
         pg_catalog.format('%s is chosen: %s.', sessiondb.name_of('session', c.session_id),
             CASE WHEN c.session_id OPERATOR(pg_catalog.=) c.without_enrollment THEN 'the newest active session of the course in the user''s organisations'
                  ELSE 'the session of the student''s enrolment, which is still active' END),
         -- the enrolment may get another session than the submissions
         CASE WHEN p_fixes OPERATOR(pg_catalog.?) 'enrollments'::pg_catalog.text AND c.session_id OPERATOR(pg_catalog.<>) c.without_enrollment THEN 'sessiondb backfill'
              WHEN p_fixes OPERATOR(pg_catalog.?|) ARRAY['row', 'enrollments', 'submissions'] THEN 'sessiondb backfill --session ' OPERATOR(pg_catalog.||) c.session_id::pg_catalog.text END),
        ('no_membership',
         'Only sessions of the user''s organisations are chosen, and the user is in none.' OPERATOR(pg_catalog.||) coalesce(b.offer, ''),
         m.fix),
        ('no_session_for_course',
         'There is no session to choose.',
         sessiondb.org_command('session', (SELECT o.org_id FROM platform.org_members AS o WHERE o.user_id OPERATOR(pg_catalog.=) p_user_id ORDER BY o.org_id LIMIT 1), p_course_id)),
        ('no_active_session',
         'Only active sessions are chosen, and no organisation of the user has one.',
         'sessiondb session set-status ' OPERATOR(pg_catalog.||) b.id::pg_catalog.text OPERATOR(pg_catalog.||) ' active'),
        ('session_in_other_org',
         'Only sessions of the user''s organisations are chosen, and only others have one.' OPERATOR(pg_catalog.||) coalesce(b.offer, ''),
         m.fix)
       ) AS a (reason, detail, fix)
 WHERE a.reason OPERATOR(pg_catalog.=) c.reason
$function$
