CREATE OR REPLACE FUNCTION sessiondb.explain_steps(
    p_facts jsonb, p_user_id uuid, p_course_id uuid, p_session_id uuid, p_table text, p_row_id uuid
)
RETURNS TABLE (step text, ok boolean, detail text, fix text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The steps that explain_link() shows before the choice: the row, or the rows of the user in the course; a user without
 * any rows; the course; the user's organisations; and those that have sessions of the course, of others than the user's
 * three, and none if one of the user's has an active one. p_facts comes from explain_facts(); ok is whether the step is
 * as a link needs it, and fix what would repair that step, if anything.
 */
SELECT 'row', p_session_id IS NOT NULL,
       coalesce('The row is linked to session ' || sessiondb.name_of('session', p_session_id) || '.', 'The row has no session.'),
       CASE WHEN p_session_id IS NULL THEN 'sessiondb backfill' END
 WHERE p_table IS NOT NULL
UNION ALL
SELECT * FROM (
    SELECT t.name, coalesce(bool_and(r.session_id IS NOT NULL), false),
           coalesce(format('The user has %s %s%s in the course: ', sum(r.rows), t.noun, CASE WHEN sum(r.rows) > 1 THEN 's' END)
                    || string_agg(r.rows || coalesce(' linked to ' || sessiondb.name_of('session', r.session_id), ' not linked'), ', '
                                  ORDER BY r.session_id IS NULL, r.rows DESC, r.session_id) || '.',
                    'The user has no ' || t.noun || ' in the course.'),
           CASE WHEN bool_or(r.rows > 0 AND r.session_id IS NULL) THEN 'sessiondb backfill' END
      FROM (VALUES ('enrollments', 'enrolment'), ('submissions', 'submission')) AS t (name, noun)
      LEFT JOIN jsonb_to_recordset(p_facts -> 'rows') AS r (table_name text, session_id uuid, rows bigint) ON r.table_name = t.name
     WHERE p_table IS NULL
     GROUP BY t.name, t.noun
     ORDER BY t.name) AS of_user
UNION ALL
SELECT 'user', u.is_there IS NOT FALSE,
       CASE
           WHEN u.is_there THEN format('User %s has no membership, no enrolment and no submission.', sessiondb.name_of('user', p_user_id))
           WHEN NOT u.is_there THEN format('There is no user %s in table %s.', p_user_id, t.users)
           ELSE format('User %s has no membership, no enrolment and no submission; the id may be wrong.', p_user_id)
       END,
       CASE WHEN NOT u.is_there THEN 'Check the id of the user.' END
  FROM sessiondb.table_of_users() AS t
 CROSS JOIN LATERAL (
        SELECT CASE WHEN t.users IS NOT NULL THEN sessiondb.ask(format(
                   'SELECT pg_catalog.to_jsonb(EXISTS (SELECT FROM %s WHERE %I OPERATOR(pg_catalog.=) %L))', t.users, t.key,
                       p_user_id))::boolean END AS is_there
       ) AS u
 WHERE p_user_id IS NOT NULL AND NOT (p_facts -> 'is_seen')::boolean
UNION ALL
SELECT 'course', (p_facts -> 'is_course')::boolean,
       coalesce(CASE WHEN (p_facts -> 'is_course')::boolean THEN 'Course ' || sessiondb.name_of('course', p_course_id) || '.' END, c.detail,
                CASE WHEN p_course_id IS NULL THEN 'The row leads to no course.' ELSE format('There is no course %s.', p_course_id) END),
       c.fix
  FROM sessiondb.explain_course(
           p_table, CASE WHEN p_session_id IS NULL AND p_facts #>> '{choice,reason}' = 'course_unknown' THEN p_row_id END, p_user_id) AS c
UNION ALL
SELECT 'memberships', count(*) > 0,
       coalesce('Member of ' || string_agg(format('%s (%s)', sessiondb.name_of('org', m.org_id), coalesce(m.role, '-')),
                                           ', ' ORDER BY m.org_id) || '.',
                format('User %s is a member of no organisation.', coalesce(sessiondb.name_of('user', p_user_id), '(none)'))),
       NULL
  FROM jsonb_to_recordset(p_facts -> 'memberships') AS m (org_id uuid, role text)
UNION ALL
SELECT 'sessions', o.mine AND o.active > 0,
       CASE WHEN o.mine OR o.place <= 3
            THEN format('%s%s has %s of the course: %s%s.', sessiondb.name_of('org', o.org_id),
                        CASE WHEN NOT o.mine THEN ', which is not an organisation of the user,' END,
                        CASE o.sessions WHEN 1 THEN '1 session' ELSE o.sessions || ' sessions' END,
                        array_to_string(o.titles, ', '), CASE WHEN o.sessions > 5 THEN ', ...' END)
            ELSE 'More organisations, which are none of the user, have sessions of the course.' END,
       NULL
  FROM (SELECT s.*, row_number() OVER (PARTITION BY s.mine ORDER BY s.number) AS place, bool_or(s.mine AND s.active > 0) OVER () AS is_eligible
          FROM ROWS FROM (jsonb_to_recordset(p_facts -> 'sessions') AS (org_id uuid, mine boolean, sessions bigint, active bigint, titles text[]))
               WITH ORDINALITY AS s (org_id, mine, sessions, active, titles, number)) AS o
 WHERE o.mine OR NOT o.is_eligible AND o.place <= 4
UNION ALL
SELECT 'sessions', false, 'No organisation has a session of the course.', NULL
 WHERE p_session_id IS NULL AND p_facts #>> '{choice,reason}' = 'no_session_for_course'
$function$
