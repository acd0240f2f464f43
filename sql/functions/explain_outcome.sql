CREATE OR REPLACE FUNCTION sessiondb.explain_outcome(
    p_facts jsonb, p_user_id uuid, p_course_id uuid, p_session_id uuid, p_table text, p_row_id uuid, p_fixes jsonb,
    OUT session_id uuid, OUT reason text, OUT ok boolean, OUT detail text, OUT verdict text, OUT fixes jsonb
)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The last step of explain_link(), with its arguments: the session, the reason, and what to do. choose_sessions() has
 * already decided by the rules of the triggers. p_facts comes from explain_facts(); p_fixes holds the fixes of the
 * previous steps, by step. Where row level security may hide rows from the caller, there is no answer that rests on
 * their absence.
 *
 * verdict  the answer for existing rows, or for new work if none of them lacks a session
 * fixes    what to do, the best first: [{"what", "command", "then"}]. what describes the command and to whom it gives
 *          access; there is no command if only people can decide. then is the command that must follow.
 *
 * Longer than a screen: what is said and what can be done, side by side for each reason.
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
-- a link may have been right when it was made
link AS (
    SELECT CASE WHEN l.course_id <> p_course_id THEN format('the session is of course %s, the row of course %s', l.course_id, p_course_id)
                WHEN l.org_id IS NULL AND NOT l.is_member THEN 'the session is of no organisation'
                WHEN NOT l.is_member AND NOT k.is_hidden THEN format('the session is of %s, and the user is not a member of it', sessiondb.name_of('org', l.org_id)) END AS fault,
           coalesce(NOT l.is_member AND k.is_hidden, false) AS is_uncertain
      FROM jsonb_to_record(p_facts -> 'link') AS l (course_id uuid, org_id uuid, is_member boolean)
     CROSS JOIN LATERAL (SELECT p_facts @> '{"hidden": [{"name": "org_members"}]}' AS is_hidden) AS k
),
-- of the tables with absent rows that the answer rests on
hidden AS (
    SELECT format('Role %s may not see every row of %s under row level security, so explain cannot say more.',
                  current_user, string_agg(h.full_name, ', ' ORDER BY h.full_name)) AS said,
           count(*) > 0 AS is_any,
           jsonb_build_object('command', 'Ask with a role that sees every row: the owner of the tables, or one that has BYPASSRLS.') AS fix
      FROM choice AS c
      JOIN jsonb_to_recordset(p_facts -> 'hidden') AS h (name text, full_name text)
        ON CASE c.reason
               WHEN 'course_unknown' THEN h.name = 'courses' AND p_course_id IS NOT NULL
                    OR p_table = 'submissions' AND h.name NOT IN ('org_members', 'sessions', 'enrollments', 'submissions')
               WHEN 'no_membership' THEN h.name = 'org_members' AND p_user_id IS NOT NULL
               ELSE h.name IN ('org_members', 'sessions') OR h.name = 'enrollments' AND p_table IS DISTINCT FROM 'enrollments'
           END
),
best AS (
    SELECT b.id, b.org_id, b.is_active,
           CASE WHEN b.is_active THEN format(' %s has an active one: %s.', sessiondb.name_of('org', b.org_id), sessiondb.name_of('session', b.id)) END AS offer
      FROM jsonb_to_record(p_facts -> 'best') AS b (id uuid, org_id uuid, is_active boolean)
),
-- for rows that only a backfill links, the commands get --backfill
backfill AS (
    SELECT CASE WHEN p_fixes ?| ARRAY['row', 'enrollments', 'submissions'] THEN ' --backfill' ELSE '' END AS option
),
-- the rows of a user in a course: if all are linked, or there are none, the answer is about new work
of_rows AS (
    SELECT coalesce('Linked to session ' || string_agg(DISTINCT sessiondb.name_of('session', r.session_id), ' and '
                                                       ORDER BY sessiondb.name_of('session', r.session_id)) || '. ',
                    CASE WHEN p_facts @> '{"hidden": [{"name": "enrollments"}]}' OR p_facts @> '{"hidden": [{"name": "submissions"}]}' THEN ''
                         ELSE 'No enrolment or submission in the course yet. ' END) AS said,
           coalesce(bool_or(r.session_id IS NOT NULL), false) AS is_linked
      FROM jsonb_to_recordset(p_facts -> 'rows') AS r (session_id uuid)
),
membership AS (
    SELECT jsonb_build_object(
               'what', format('make the student a member of %1$s, which gives %1$s access to this student''s work', sessiondb.name_of('org', o.id)),
               'command', sessiondb.org_command('member', o.id, p_user_id),
               -- a membership alone would link nothing
               'then', CASE WHEN o.session_id IS NULL THEN sessiondb.org_command('session', o.id, p_course_id)
                            WHEN NOT o.is_active THEN format('sessiondb session set-status %s active', sessiondb.shell_name('session', o.session_id)) END) AS fix
      FROM (SELECT coalesce(b.org_id, (p_facts ->> 'any_org')::uuid) AS id, b.id AS session_id, b.is_active FROM best AS b) AS o
),
own_session AS (
    SELECT jsonb_build_object(
               'what', format('create a session in %s, an organisation of the student', sessiondb.name_of('org', o.id)),
               'command', sessiondb.org_command('session', o.id, p_course_id)) AS fix
      FROM (SELECT (p_facts #>> '{memberships,0,org_id}')::uuid AS id) AS o
)
SELECT coalesce(p_session_id, c.session_id), c.reason, coalesce(p_session_id, c.session_id) IS NOT NULL AND l.fault IS NULL,
       CASE WHEN n.is_withheld THEN h.said ELSE a.detail END,
       CASE WHEN n.is_withheld THEN CASE WHEN p_table IS NOT NULL THEN 'Not linked. ' WHEN r.is_linked THEN r.said ELSE '' END || h.said
            WHEN n.is_new THEN r.said || regexp_replace(a.verdict, '^Not linked:', 'New work would not be linked:')
            WHEN r.is_linked AND p_table IS NULL THEN regexp_replace(a.verdict, '^Not linked', 'Not all is linked')
            ELSE a.verdict END,
       coalesce((
           SELECT jsonb_agg(jsonb_build_object(
                      'what', CASE WHEN k.is_command THEN CASE WHEN n.is_new THEN 'for new work, ' ELSE '' END || (f.fix ->> 'what') ELSE f.fix ->> 'command' END,
                      'command', CASE WHEN k.is_command THEN (f.fix ->> 'command') || CASE WHEN f.fix ->> 'command' ~ '^sessiondb (member|session) ' AND f.fix ->> 'then' IS NULL THEN b.option ELSE '' END END,
                      'then', CASE WHEN f.fix ->> 'then' IS NOT NULL THEN (f.fix ->> 'then') || b.option
                                   WHEN f.fix ->> 'command' ~ '^(UPDATE|INSERT) ' AND c.reason <> 'already_linked' THEN 'sessiondb backfill' END) ORDER BY f.place)
             FROM unnest(CASE WHEN n.is_withheld THEN ARRAY[h.fix] ELSE a.fixes END) WITH ORDINALITY AS f (fix, place)
            CROSS JOIN LATERAL (SELECT f.fix ->> 'command' ~ '^(sessiondb|UPDATE|INSERT|SELECT) ' AS is_command) AS k
            WHERE f.fix ->> 'command' IS NOT NULL), '[]')
  FROM choice AS c
 CROSS JOIN membership AS m
 CROSS JOIN own_session AS o
 CROSS JOIN backfill AS b
 CROSS JOIN link AS l
 CROSS JOIN best AS s
 CROSS JOIN hidden AS h
 CROSS JOIN of_rows AS r
 CROSS JOIN LATERAL (
        SELECT b.option = '' AND c.reason NOT IN ('already_linked', 'course_unknown') AND coalesce(NOT p_fixes ? 'user', true) AS is_new,
               h.is_any AND c.reason <> 'already_linked' AS is_withheld) AS n
 CROSS JOIN LATERAL (VALUES
        ('already_linked',
         coalesce('The link is wrong: ' || l.fault || '.', 'A row that is linked stays in its session.')
             || CASE WHEN h.is_any THEN ' ' || h.said ELSE ' Today the rules would choose ' || c.today || '.' END,
         coalesce('Linked to the wrong session: ' || l.fault || '.', format('Linked: the row is in session %s.', sessiondb.name_of('session', p_session_id))
                  || CASE WHEN l.is_uncertain THEN ' ' || h.said ELSE '' END),
         ARRAY[CASE WHEN h.is_any AND (l.is_uncertain OR l.fault IS NOT NULL) THEN h.fix ELSE jsonb_build_object(
             'what', 'link the row as the rules would today',
             'command', CASE WHEN l.fault IS NOT NULL AND p_row_id IS NOT NULL
                             THEN format('UPDATE %I.%I SET session_id = %L WHERE id = %L', c.platform_schema, p_table, c.session_id, p_row_id) END) END]),
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
                     ELSE 'Not linked yet: older rows belong to session %s, and a backfill links them.' END, sessiondb.name_of('session', c.session_id)),
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
$function$
