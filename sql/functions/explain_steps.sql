CREATE OR REPLACE FUNCTION sessiondb.explain_steps(p_user_id uuid, p_course_id uuid, p_session_id uuid, p_table text, p_row_id uuid)
RETURNS TABLE (step text, ok boolean, detail text, fix text)
LANGUAGE sql STABLE
AS $function$
/*
 * What explain_link() shows before the choice: the row, or the rows of the user in the course; a user of whom there are
 * none; the course; the user's organisations; and those that have sessions of the course, the user's first, at most 20,
 * each with its five newest sessions. fix is what would repair that step alone, if something would.
 */
WITH choice AS (
    SELECT c.reason
      FROM sessiondb.choose_sessions(ARRAY[p_user_id], ARRAY[p_course_id], coalesce(p_table OPERATOR(pg_catalog.<>) 'enrollments', true)) AS c
     WHERE p_session_id IS NULL
)
SELECT 'row', p_session_id IS NOT NULL,
       coalesce('The row is linked to session ' OPERATOR(pg_catalog.||) sessiondb.name_of('session', p_session_id) OPERATOR(pg_catalog.||) '.', 'The row has no session.'),
       CASE WHEN p_session_id IS NULL THEN 'sessiondb backfill' END
 WHERE p_table IS NOT NULL
UNION ALL
SELECT r.*
  FROM sessiondb.explain_rows(p_user_id, p_course_id) AS r
 WHERE p_table IS NULL
UNION ALL
SELECT 'user', NOT u.is_missing, u.detail, CASE WHEN u.is_missing THEN 'Check the id of the user.' END
  FROM sessiondb.explain_user(p_user_id) AS u
 WHERE u.detail IS NOT NULL
UNION ALL
SELECT 'course', k.id IS NOT NULL,
       coalesce('Course ' OPERATOR(pg_catalog.||) sessiondb.name_of('course', k.id) OPERATOR(pg_catalog.||) '.', c.detail,
                CASE WHEN p_course_id IS NULL THEN 'The row leads to no course.' ELSE pg_catalog.format('There is no course %s.', p_course_id) END),
       c.fix
  FROM (VALUES (p_course_id)) AS p (course_id)
  LEFT JOIN platform.courses AS k ON k.id OPERATOR(pg_catalog.=) p.course_id
 CROSS JOIN LATERAL sessiondb.explain_course(p_table, CASE WHEN (SELECT c.reason FROM choice AS c) OPERATOR(pg_catalog.=) 'course_unknown' THEN p_row_id END, p_user_id) AS c
UNION ALL
SELECT 'memberships', pg_catalog.count(*) OPERATOR(pg_catalog.>) 0,
       coalesce('Member of ' OPERATOR(pg_catalog.||) pg_catalog.string_agg(
                    pg_catalog.format('%s (%s)', sessiondb.name_of('org', m.org_id), coalesce(pg_catalog.to_jsonb(m.*) OPERATOR(pg_catalog.->>) 'role'::pg_catalog.text, '-')), ', ' ORDER BY m.org_id) OPERATOR(pg_catalog.||) '.',
                pg_catalog.format('User %s is a member of no organisation.', coalesce(p_user_id::pg_catalog.text, '(none)'))),
       NULL
  FROM platform.org_members AS m
 WHERE m.user_id OPERATOR(pg_catalog.=) p_user_id
UNION ALL
SELECT 'sessions', o.active OPERATOR(pg_catalog.>) 0,
       pg_catalog.format('%s%s has %s of the course: %s%s.', o.name, CASE WHEN NOT o.mine THEN ', which is not an organisation of the user,' END,
           CASE WHEN o.sessions OPERATOR(pg_catalog.=) 1 THEN '1 session' ELSE o.sessions::pg_catalog.text OPERATOR(pg_catalog.||) ' sessions' END,
           pg_catalog.array_to_string(o.titles[1:5], ', '), CASE WHEN o.sessions OPERATOR(pg_catalog.>) 5 THEN ', ...' END),
       NULL
  FROM (
        SELECT sessiondb.name_of('org', s.org_id) AS name,
               EXISTS (SELECT FROM platform.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) s.org_id AND m.user_id OPERATOR(pg_catalog.=) p_user_id) AS mine,
               pg_catalog.count(*) AS sessions, pg_catalog.count(*) FILTER (WHERE s.status OPERATOR(pg_catalog.=) 'active') AS active,
               pg_catalog.array_agg(pg_catalog.format('"%s" %s', coalesce(pg_catalog.to_jsonb(s.*) OPERATOR(pg_catalog.->>) 'title'::pg_catalog.text, s.id::pg_catalog.text), s.status)
                   ORDER BY s.created_at DESC NULLS LAST, s.id DESC) AS titles
          FROM platform.sessions AS s
         WHERE s.course_id OPERATOR(pg_catalog.=) p_course_id
         GROUP BY s.org_id
         ORDER BY mine DESC, name
         LIMIT 20
       ) AS o
UNION ALL
SELECT 'sessions', false, 'No organisation has a session of the course.', NULL
  FROM choice AS c
 WHERE c.reason OPERATOR(pg_catalog.=) 'no_session_for_course'
$function$
