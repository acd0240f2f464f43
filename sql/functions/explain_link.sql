CREATE OR REPLACE FUNCTION sessiondb.explain_link(
    p_user_id uuid, p_course_id uuid, p_session_id uuid DEFAULT NULL, p_table text DEFAULT NULL, p_row_id uuid DEFAULT NULL
)
RETURNS jsonb
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Why the work of a user in a course is in its session, or in none: {"session_id", "reason", "verdict", "steps":
 * [{"step", "ok", "detail"}], "fix", "fixes": [{"what", "command", "then"}]}. A step is ok if it is as a link needs it;
 * fix is the command of the first of the fixes, which explain_outcome() describes.
 *
 * p_session_id  the session to which the row is linked
 * p_table       enrollments or submissions if the question is about a row; NULL for a user and a course
 * p_row_id      the id of that row
 */
CALL sessiondb.require_trusted();
CALL sessiondb.require_types();
WITH asked AS MATERIALIZED (
    SELECT sessiondb.ask(format('SELECT sessiondb.explain_facts(%L::pg_catalog.uuid, %L::pg_catalog.uuid, %L::pg_catalog.uuid, %L::pg_catalog.bool)',
                                p_user_id, p_course_id, p_session_id, p_table IS DISTINCT FROM 'enrollments'))
           || jsonb_build_object('hidden', (SELECT coalesce(jsonb_agg(h.*), '[]') FROM sessiondb.hidden_tables() AS h WHERE NOT h.shows_all)) AS facts
),
steps AS MATERIALIZED (
    SELECT s.*
      FROM asked AS a
     CROSS JOIN LATERAL sessiondb.explain_steps(a.facts, p_user_id, p_course_id, p_session_id, p_table, p_row_id)
           WITH ORDINALITY AS s (step, ok, detail, fix, place)
)
SELECT jsonb_build_object(
           'session_id', c.session_id,
           'reason', c.reason,
           'verdict', c.verdict,
           'steps', (SELECT jsonb_agg(jsonb_build_object('step', s.step, 'ok', s.ok, 'detail',
                         CASE WHEN s.ok AND s.step <> 'user' OR s.step = 'row' OR a.facts -> 'hidden' = '[]' THEN s.detail
                              ELSE regexp_replace(s.detail, E'\\.$', format(', as far as role %s sees.', current_user)) END)
                                  ORDER BY s.place) FROM steps AS s)
                    || jsonb_build_object('step', 'choice', 'ok', c.ok, 'detail', c.detail),
           'fix', coalesce(c.fixes #>> '{0,command}', c.fixes #>> '{0,what}'),
           'fixes', c.fixes)
  FROM asked AS a
 CROSS JOIN LATERAL sessiondb.explain_outcome(
           a.facts, p_user_id, p_course_id, p_session_id, p_table, p_row_id,
           (SELECT jsonb_object_agg(s.step, s.fix) FROM steps AS s WHERE s.fix IS NOT NULL)) AS c
$function$
