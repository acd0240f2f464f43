CREATE OR REPLACE FUNCTION sessiondb.explain_outcome(
    p_facts jsonb, p_user_id uuid, p_course_id uuid, p_session_id uuid, p_table text, p_row_id uuid, p_fixes jsonb,
    OUT session_id uuid, OUT reason text, OUT ok boolean, OUT detail text, OUT verdict text, OUT fixes jsonb
)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The last step of explain_link(), with its arguments: the session, the reason, and what to do. choose_sessions() has
 * already decided by the rules of the triggers; queries/outcome_texts.sql has what is said and proposed for each reason.
 * p_facts comes from explain_facts(); p_fixes holds the fixes of the previous steps, by step. Where row level security may
 * hide rows from the caller, there is no answer that rests on their absence.
 *
 * Longer than a screen: the facts that the answer needs, then how one answer is made of them.
 *
 * verdict  the answer for existing rows, or for new work if none of them lacks a session
 * fixes    what to do, the best first: [{"what", "command", "then"}]. what describes the command and to whom it gives
 *          access; there is no command if only people can decide. then is the command that must follow.
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
                WHEN NOT l.is_member
                    AND NOT k.is_hidden THEN format('the session is of %s, and the user is not a member of it',
                                                    sessiondb.name_of('org', l.org_id)) END AS fault,
           coalesce(NOT l.is_member AND k.is_hidden, false) AS is_uncertain
      FROM jsonb_to_record(p_facts -> 'link') AS l (course_id uuid, org_id uuid, is_member boolean)
     CROSS JOIN LATERAL (SELECT p_facts @> '{"hidden": [{"name": "org_members"}]}' AS is_hidden) AS k
),
-- of the tables with absent rows that the answer rests on
hidden AS (
    SELECT format('Role %s may not see every row of %s under row level security, so explain cannot say more.',
                  current_user, string_agg(h.full_name, ', ' ORDER BY h.full_name)) AS said,
           count(*) > 0 AS is_any,
           jsonb_build_object('command', 'Ask with a role that sees every row: one that has BYPASSRLS or, where it is not forced, '
                                         'the owner of the tables.') AS fix
      FROM choice AS c
      JOIN jsonb_to_recordset(p_facts -> 'hidden') AS h (name text, full_name text)
        ON CASE c.reason
               WHEN 'course_unknown' THEN h.name = 'courses' AND p_course_id IS NOT NULL
                    OR p_table = 'submissions' AND h.name NOT IN ('org_members', 'sessions', 'enrollments', 'submissions')
               WHEN 'no_membership' THEN h.name = 'org_members' AND p_user_id IS NOT NULL
               ELSE h.name IN ('org_members', 'sessions') OR h.name = 'enrollments' AND p_table IS DISTINCT FROM 'enrollments'
           END
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
)
SELECT coalesce(p_session_id, c.session_id), c.reason, coalesce(p_session_id, c.session_id) IS NOT NULL AND l.fault IS NULL,
       CASE WHEN n.is_withheld THEN 'Not known, because rows may be hidden.' ELSE a.detail END,
       CASE WHEN n.is_withheld THEN CASE WHEN p_table IS NOT NULL THEN 'Not linked. ' WHEN r.is_linked THEN r.said ELSE '' END || h.said
            WHEN n.is_new THEN r.said || regexp_replace(a.verdict, '^Not linked:', 'New work would not be linked:')
            WHEN r.is_linked AND p_table IS NULL THEN regexp_replace(a.verdict, '^Not linked', 'Not all is linked')
            ELSE a.verdict END,
       coalesce((
           SELECT jsonb_agg(jsonb_build_object(
                      'what', CASE WHEN k.is_command THEN CASE WHEN n.is_new THEN 'for new work, ' ELSE '' END
                          || (f.fix ->> 'what') ELSE f.fix ->> 'command' END,
                      'command', CASE WHEN k.is_command THEN (f.fix ->> 'command')
                          || CASE WHEN f.fix ->> 'command' ~ '^sessiondb (member|session) '
                          AND f.fix ->> 'then' IS NULL THEN b.option ELSE '' END END,
                      'then', CASE WHEN f.fix ->> 'then' LIKE 'INSERT%' THEN f.fix ->> 'then'
                                   WHEN f.fix ->> 'then' IS NOT NULL THEN (f.fix ->> 'then') || b.option
                                   WHEN f.fix ->> 'command' ~ '^(UPDATE|INSERT) '
                                       AND c.reason <> 'already_linked' THEN 'sessiondb backfill' END) ORDER BY f.place)
             FROM unnest(CASE WHEN n.is_withheld THEN ARRAY[h.fix] ELSE a.fixes END) WITH ORDINALITY AS f (fix, place)
            CROSS JOIN LATERAL (SELECT f.fix ->> 'command' ~ '^(sessiondb|UPDATE|INSERT|SELECT) ' AS is_command) AS k
            WHERE f.fix ->> 'command' IS NOT NULL), '[]')
  FROM choice AS c
 CROSS JOIN backfill AS b
 CROSS JOIN link AS l
 CROSS JOIN hidden AS h
 CROSS JOIN of_rows AS r
 CROSS JOIN LATERAL (
        SELECT b.option = '' AND c.reason NOT IN ('already_linked', 'course_unknown') AND coalesce(NOT p_fixes ? 'user', true) AS is_new,
               h.is_any AND c.reason <> 'already_linked' AS is_withheld) AS n
 CROSS JOIN LATERAL (
{outcome_texts()}
       ) AS a
$function$
