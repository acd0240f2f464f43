-- What explain_outcome() says and proposes for the reason that it found: a part of that function, whose arguments, choice c,
-- link l, hidden tables h and option b stand here, too.
WITH best AS (
    SELECT b.id, b.org_id, b.is_active,
           CASE WHEN b.is_active THEN format(' %s has an active one: %s.', sessiondb.name_of('org', b.org_id),
                                             sessiondb.name_of('session', b.id)) END AS offer
      FROM jsonb_to_record(p_facts -> 'best') AS b (id uuid, org_id uuid, is_active boolean)
),
membership AS (
    SELECT jsonb_build_object(
               'what', format('make the student a member of %1$s, which gives %1$s access to this student''s work', sessiondb.name_of('org', o.id)),
               'command', sessiondb.org_command('member', o.id, p_user_id),
               -- a membership alone would link nothing
               'then', CASE WHEN o.session_id IS NULL THEN sessiondb.org_command('session', o.id, p_course_id)
                            WHEN NOT o.is_active THEN format('sessiondb session set-status %s active',
                                                             sessiondb.shell_name('session', o.session_id)) END) AS fix
      FROM (SELECT coalesce(b.org_id, (p_facts ->> 'any_org')::uuid) AS id, b.id AS session_id, b.is_active FROM best AS b) AS o
),
own_session AS (
    SELECT jsonb_build_object(
               'what', format('create a session in %s, an organisation of the student', sessiondb.name_of('org', o.id))
                       || CASE WHEN s.command LIKE 'INSERT%<%' THEN ', with values for what is in angle brackets, which your '
                           'platform requires' ELSE '' END,
               'command', s.command) AS fix
      FROM (SELECT (p_facts #>> '{memberships,0,org_id}')::uuid AS id) AS o
     CROSS JOIN LATERAL sessiondb.org_command('session', o.id, p_course_id) AS s (command)
)
SELECT a.detail, a.verdict, a.fixes
  FROM best AS s
 CROSS JOIN membership AS m
 CROSS JOIN own_session AS o
 CROSS JOIN LATERAL (VALUES
        ('already_linked',
         coalesce('The link is wrong: ' || l.fault || '.', 'A row that is linked stays in its session.')
             || CASE WHEN h.is_any THEN ' ' || h.said ELSE ' Today the rules would choose ' || c.today || '.' END,
         coalesce('Linked to the wrong session: ' || l.fault
                  || '.', format('Linked: the row is in session %s.', sessiondb.name_of('session', p_session_id))
                  || CASE WHEN l.is_uncertain THEN ' ' || h.said ELSE '' END),
         ARRAY[CASE WHEN h.is_any AND (l.is_uncertain OR l.fault IS NOT NULL) THEN h.fix ELSE jsonb_build_object(
             'what', 'link the row as the rules would today',
             'command', CASE WHEN l.fault IS NOT NULL AND p_row_id IS NOT NULL
                             THEN format('UPDATE %I.%I SET session_id = %L WHERE id OPERATOR(pg_catalog.=) %L',
                                         c.platform_schema, p_table, c.session_id, p_row_id) END) END]),
        ('course_unknown',
         'Without a course there is no session to choose.',
         CASE WHEN p_table IS NULL THEN 'Not linked: there is no such course.' ELSE 'Not linked: the row leads to no course.' END,
         ARRAY[jsonb_build_object(
             'what', CASE WHEN p_fixes ? 'course' THEN 'lead the row to a course' ELSE 'check the id of the course' END,
             'command', coalesce(p_fixes ->> 'course', format('SELECT * FROM %I.courses', c.platform_schema)))]),
        ('linked',
         format('%s is chosen: %s.', sessiondb.name_of('session', c.session_id),
             CASE WHEN c.session_id = c.without_enrollment THEN 'the newest active session of the course in the user''s organisations'
                  ELSE 'the session of the student''s enrolment, which is still active' END),
         format(CASE WHEN b.option = '' THEN 'New work would be linked to session %s.'
                     ELSE 'Not linked yet: older rows belong to session %s, and a backfill links them.' END,
                         sessiondb.name_of('session', c.session_id)),
         ARRAY[jsonb_build_object(
             'what', 'link the rows that are older than the session',
             -- the enrolment may get another session than the submissions
             'command', CASE WHEN p_fixes ? 'enrollments' AND c.session_id <> c.without_enrollment THEN 'sessiondb backfill'
                             WHEN b.option <> '' THEN 'sessiondb backfill --session ' || sessiondb.shell_name('session', c.session_id) END)]),
        ('no_membership',
         'Only sessions of the user''s organisations are chosen, and the user is in none.' || coalesce(s.offer, ''),
         CASE WHEN p_user_id IS NULL THEN 'Not linked: the row has no user.'
              WHEN p_fixes ? 'user' THEN 'Not linked: there is no such user.'
              ELSE 'Not linked: the student is a member of no organisation.' END,
         ARRAY[CASE WHEN p_user_id IS NULL THEN jsonb_build_object('command', 'Give the row a user.')
                    WHEN p_fixes ? 'user' THEN jsonb_build_object('command', p_fixes ->> 'user')
                    WHEN m.fix ->> 'command' IS NULL THEN jsonb_build_object(
                        'what', 'create an organisation, of which to make the student a member',
                        'command', 'sessiondb org create --name ''My organisation'' --slug my-organisation')
                    ELSE m.fix END]),
        ('no_session_for_course',
         'There is no session to choose.',
         'Not linked: no organisation has a session of the course.',
         ARRAY[o.fix]),
        ('no_active_session',
         'Only active sessions are chosen, and no organisation of the user has one.',
         'Not linked: the student''s organisations have sessions of the course, but none is active.',
         ARRAY[jsonb_build_object(
             'what', format('make session %s active', sessiondb.name_of('session', s.id)),
             'command', format('sessiondb session set-status %s active', sessiondb.shell_name('session', s.id)))]),
        ('session_in_other_org',
         'Only sessions of the user''s organisations are chosen, and only others have one.' || coalesce(s.offer, ''),
         'Not linked: only organisations of which the student is not a member have a session of the course.',
         ARRAY[o.fix, m.fix])
       ) AS a (reason, detail, verdict, fixes)
 WHERE a.reason = c.reason
