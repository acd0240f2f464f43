CREATE OR REPLACE FUNCTION sessiondb.explain_choice(
    p_facts jsonb, p_user_id uuid, p_course_id uuid, p_session_id uuid, p_table text, p_row_id uuid, p_fixes jsonb,
    OUT session_id uuid, OUT reason text, OUT ok boolean, OUT detail text, OUT fix text
)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The last step of explain_link(), with the arguments of that: the session, the reason, and what to do. The rules are
 * those of the triggers; choose_sessions() has decided. p_facts is of explain_facts(), p_fixes holds the fixes of the
 * steps before, by step.
 */
WITH choice AS (
    SELECT CASE WHEN p_session_id IS NOT NULL THEN 'already_linked' ELSE coalesce(c.reason, 'linked') END AS reason,
           c.session_id, (p_facts ->> 'without_enrollment')::uuid AS without_enrollment,
           CASE WHEN c.session_id = p_session_id THEN 'the same one'
                ELSE coalesce(sessiondb.name_of('session', c.session_id), 'none (' || c.reason || ')') END AS today,
           i.platform_schema
      FROM jsonb_to_record(p_facts -> 'choice') AS c (session_id uuid, reason text)
     CROSS JOIN sessiondb.installation AS i
),
-- a link may have been right once
link AS (
    SELECT CASE WHEN l.course_id <> p_course_id THEN format('the session is of course %s, the row of course %s', l.course_id, p_course_id)
                WHEN NOT l.is_member THEN format('the session is of %s, and the user is not a member of it', sessiondb.name_of('org', l.org_id)) END AS fault
      FROM jsonb_to_record(p_facts -> 'link') AS l (course_id uuid, org_id uuid, is_member boolean)
),
best AS (
    SELECT b.id, b.org_id,
           CASE WHEN b.is_active THEN format(' %s has an active one: %s.', sessiondb.name_of('org', b.org_id), sessiondb.name_of('session', b.id)) END AS offer
      FROM jsonb_to_record(p_facts -> 'best') AS b (id uuid, org_id uuid, is_active boolean)
),
membership AS (
    SELECT coalesce(
               p_fixes ->> 'user',
               sessiondb.org_command('member', coalesce((SELECT b.org_id FROM best AS b), (p_facts ->> 'any_org')::uuid), p_user_id),
               CASE WHEN p_user_id IS NULL THEN 'Give the row a user.' ELSE 'sessiondb org create --name ''My organisation'' --slug my-organisation' END) AS fix
)
SELECT coalesce(p_session_id, c.session_id), c.reason, coalesce(p_session_id, c.session_id) IS NOT NULL AND l.fault IS NULL, a.detail, a.fix
  FROM choice AS c
 CROSS JOIN membership AS m
 CROSS JOIN link AS l
 CROSS JOIN best AS b
 CROSS JOIN LATERAL (VALUES
        ('already_linked',
         coalesce('The link is wrong: ' || l.fault || '.', 'A row that is linked stays in its session.') || ' Today the rules would choose ' || c.today || '.',
         CASE WHEN l.fault IS NOT NULL AND p_row_id IS NOT NULL
              THEN format('UPDATE %I.%I SET session_id = %L WHERE id = %L', c.platform_schema, p_table, c.session_id, p_row_id) END),
        ('course_unknown',
         'Without a course there is no session to choose.',
         coalesce(p_fixes ->> 'course', format('Check the id of the course: SELECT * FROM %I.courses', c.platform_schema))),
        ('linked',
         format('%s is chosen: %s.', sessiondb.name_of('session', c.session_id),
             CASE WHEN c.session_id = c.without_enrollment THEN 'the newest active session of the course in the user''s organisations'
                  ELSE 'the session of the student''s enrolment, which is still active' END),
         -- the enrolment may get another session than the submissions
         CASE WHEN p_fixes ? 'enrollments' AND c.session_id <> c.without_enrollment THEN 'sessiondb backfill'
              WHEN p_fixes ?| ARRAY['row', 'enrollments', 'submissions'] THEN 'sessiondb backfill --session ' || c.session_id END),
        ('no_membership',
         'Only sessions of the user''s organisations are chosen, and the user is in none.' || coalesce(b.offer, ''),
         m.fix),
        ('no_session_for_course',
         'There is no session to choose.',
         sessiondb.org_command('session', (p_facts #>> '{memberships,0,org_id}')::uuid, p_course_id)),
        ('no_active_session',
         'Only active sessions are chosen, and no organisation of the user has one.',
         'sessiondb session set-status ' || b.id || ' active'),
        ('session_in_other_org',
         'Only sessions of the user''s organisations are chosen, and only others have one.' || coalesce(b.offer, ''),
         m.fix)
       ) AS a (reason, detail, fix)
 WHERE a.reason = c.reason
$function$
