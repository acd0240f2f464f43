CREATE OR REPLACE FUNCTION sessiondb.explain_link(
    p_user_id uuid, p_course_id uuid, p_session_id uuid DEFAULT NULL, p_row text DEFAULT NULL, p_row_id uuid DEFAULT NULL
)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SET search_path FROM CURRENT
AS $function$
/*
 * Why the work of a user in a course is in the session that it is in, or in none:
 * {"session_id", "reason", "steps": [{"step", "ok", "detail"}], "fix"}. The rules are those of the
 * triggers; choose_sessions() decides.
 *
 * p_session_id  the session that the row which is asked about is linked to
 * p_row         enrollments or submissions, where a row is asked about; NULL for a user and a course
 * p_row_id      the id of that row
 *
 * SECURITY INVOKER: whoever asks is told what he may read himself. to_jsonb() reads the columns that a
 * platform need not have, names and slugs.
 */
DECLARE
    v_reason text;
    v_chosen uuid;
    -- without regard to an enrolment
    v_newest uuid := (
        SELECT c.session_id FROM sessiondb.choose_sessions(ARRAY[p_user_id], ARRAY[p_course_id], false) AS c);
    v_steps jsonb := '[]'::jsonb;
    v_fix text;
    v_today text;
    v_wrong text;
    v_unlinked text[];
    v_is_missing boolean;
    v_user text;
    v_course text;
    v_course_fix text;
    v_org uuid;
    v_session uuid;
    v_elsewhere text;
    v_ok boolean;
    v_detail text;
BEGIN
    SELECT c.session_id, coalesce(c.reason, 'linked')
      INTO v_chosen, v_reason
      FROM sessiondb.choose_sessions(ARRAY[p_user_id], ARRAY[p_course_id], p_row IS DISTINCT FROM 'enrollments') AS c;
    IF p_session_id IS NOT NULL THEN
        -- a link may have been right once: what the rules make of it today
        v_wrong := (
            SELECT CASE
                       WHEN s.course_id <> p_course_id THEN pg_catalog.format(
                           'The link is wrong: the session is of course %s, the row of course %s.', s.course_id, p_course_id)
                       WHEN NOT EXISTS (SELECT FROM org_members AS m WHERE m.org_id = s.org_id AND m.user_id = p_user_id) THEN pg_catalog.format(
                           'The link is wrong: the session is of %s, of which the user is no member.', sessiondb.name_of_org(s.org_id))
                   END
              FROM sessions AS s
             WHERE s.id = p_session_id);
        v_today := CASE
            WHEN v_chosen = p_session_id THEN 'the same one'
            WHEN v_chosen IS NULL THEN pg_catalog.format('none (%s)', v_reason)
            ELSE sessiondb.title_of_session(v_chosen)
        END;
        IF v_wrong IS NOT NULL AND p_row_id IS NOT NULL THEN
            v_fix := pg_catalog.format('UPDATE %I.%I SET session_id = %L WHERE id = %L', pg_catalog.current_schema(), p_row, v_chosen, p_row_id);
        END IF;
        v_reason := 'already_linked';
        v_chosen := p_session_id;
        v_steps := v_steps || pg_catalog.jsonb_build_object(
            'step', 'row', 'ok', true, 'detail', pg_catalog.format('The row is linked to session %s.', sessiondb.title_of_session(p_session_id)));
    ELSIF p_row IS NOT NULL THEN
        v_steps := v_steps || pg_catalog.jsonb_build_object('step', 'row', 'ok', false, 'detail', 'The row has no session.');
    ELSE
        SELECT v_steps || pg_catalog.jsonb_agg(
                   pg_catalog.jsonb_build_object(
                       'step', c.table_name, 'ok', c.rows > c.unlinked,
                       'detail', CASE c.rows
                           WHEN 0 THEN pg_catalog.format('The user has no %s in the course.', c.noun)
                           ELSE pg_catalog.format('The user has %s %s%s in the course: %s.', c.rows, c.noun, CASE WHEN c.rows > 1 THEN 's' END,
                                    pg_catalog.concat_ws(', ', c.linked, CASE WHEN c.unlinked > 0 THEN c.unlinked::text || ' not linked' END))
                       END)
                   ORDER BY c.table_name),
               pg_catalog.array_agg(c.table_name) FILTER (WHERE c.unlinked > 0)
          INTO v_steps, v_unlinked
          FROM (
                SELECT t.table_name, t.noun,
                       coalesce(pg_catalog.sum(r.rows), 0)::bigint AS rows,
                       coalesce(pg_catalog.sum(r.rows) FILTER (WHERE r.session_id IS NULL), 0)::bigint AS unlinked,
                       pg_catalog.string_agg(pg_catalog.format('%s linked to %s', r.rows, sessiondb.title_of_session(r.session_id)), ', ' ORDER BY r.rows DESC, r.session_id)
                           FILTER (WHERE r.session_id IS NOT NULL) AS linked
                  FROM (VALUES ('enrollments', 'enrolment'), ('submissions', 'submission')) AS t (table_name, noun)
                  LEFT JOIN sessiondb.count_rows(p_user_id, p_course_id) AS r ON r.table_name = t.table_name
                 GROUP BY t.table_name, t.noun
               ) AS c;
    END IF;

    SELECT u.is_missing, u.detail INTO v_is_missing, v_user FROM sessiondb.explain_user(p_user_id) AS u;
    IF v_user IS NOT NULL THEN
        v_steps := v_steps || pg_catalog.jsonb_build_object('step', 'user', 'ok', NOT v_is_missing, 'detail', v_user);
    END IF;
    IF v_reason = 'course_unknown' AND p_row_id IS NOT NULL THEN
        SELECT c.detail, c.fix INTO v_course, v_course_fix FROM sessiondb.explain_course(p_row, p_row_id, p_user_id) AS c;
    END IF;

    SELECT pg_catalog.count(*) > 0,
           coalesce(pg_catalog.min('Course ' || coalesce('"' || (pg_catalog.to_jsonb(k.*) ->> 'title'::text) || '" (' || k.id::text || ')', k.id::text) || '.'),
               v_course,
               CASE WHEN p_course_id IS NULL THEN 'The row leads to no course.' ELSE pg_catalog.format('There is no course %s.', p_course_id) END)
      INTO v_ok, v_detail
      FROM courses AS k
     WHERE k.id = p_course_id;
    v_steps := v_steps || pg_catalog.jsonb_build_object('step', 'course', 'ok', v_ok, 'detail', v_detail);

    SELECT pg_catalog.count(*) > 0,
           coalesce('Member of ' || pg_catalog.string_agg(
               pg_catalog.format('%s (%s)', sessiondb.name_of_org(m.org_id), coalesce(pg_catalog.to_jsonb(m.*) ->> 'role'::text, '-')), ', ' ORDER BY m.org_id) || '.',
               pg_catalog.format('User %s is a member of no organisation.', coalesce(p_user_id::text, '(none)')))
      INTO v_ok, v_detail
      FROM org_members AS m
     WHERE m.user_id = p_user_id;
    v_steps := v_steps || pg_catalog.jsonb_build_object('step', 'memberships', 'ok', v_ok, 'detail', v_detail);

    SELECT v_steps || coalesce(pg_catalog.jsonb_agg(
               pg_catalog.jsonb_build_object('step', 'sessions', 'ok', o.active > 0, 'detail', o.detail) ORDER BY o.mine DESC, o.name), '[]')
      INTO v_steps
      FROM (
            SELECT sessiondb.name_of_org(s.org_id) AS name,
                   EXISTS (SELECT FROM org_members AS m WHERE m.org_id = s.org_id AND m.user_id = p_user_id) AS mine,
                   pg_catalog.count(*) FILTER (WHERE s.status OPERATOR(pg_catalog.=) 'active') AS active,
                   pg_catalog.format('%s%s has %s of the course: %s.', sessiondb.name_of_org(s.org_id),
                       CASE WHEN EXISTS (SELECT FROM org_members AS m WHERE m.org_id = s.org_id AND m.user_id = p_user_id)
                            THEN '' ELSE ', which is not an organisation of the user,' END,
                       CASE pg_catalog.count(*) WHEN 1 THEN '1 session' ELSE pg_catalog.count(*)::text || ' sessions' END,
                       pg_catalog.array_to_string((pg_catalog.array_agg(
                           pg_catalog.format('"%s" %s', coalesce(pg_catalog.to_jsonb(s.*) ->> 'title'::text, s.id::text), s.status)
                           ORDER BY s.created_at DESC NULLS LAST, s.id DESC))[1:5], ', ')
                       || CASE WHEN pg_catalog.count(*) > 5 THEN ', ...' ELSE '' END) AS detail
              FROM sessions AS s
             WHERE s.course_id = p_course_id
             GROUP BY s.org_id
             ORDER BY 2 DESC, 1
             LIMIT 20
           ) AS o;
    IF v_reason = 'no_session_for_course' THEN
        v_steps := v_steps || pg_catalog.jsonb_build_object('step', 'sessions', 'ok', false, 'detail', 'No organisation has a session of the course.');
    END IF;

    -- the organisation and the session that the fix is about: where others have one, an active one if there is
    SELECT s.org_id, s.id,
           CASE WHEN s.status OPERATOR(pg_catalog.=) 'active'
                THEN pg_catalog.format(' %s has an active one: %s.', sessiondb.name_of_org(s.org_id), sessiondb.title_of_session(s.id)) END
      INTO v_org, v_session, v_elsewhere
      FROM sessions AS s
     WHERE s.course_id = p_course_id
       AND CASE v_reason
               WHEN 'no_active_session' THEN EXISTS (SELECT FROM org_members AS m WHERE m.org_id = s.org_id AND m.user_id = p_user_id)
               ELSE true
           END
     ORDER BY (s.status OPERATOR(pg_catalog.=) 'active') DESC, s.created_at DESC NULLS LAST, s.id DESC
     LIMIT 1;
    IF v_reason = 'no_membership' AND v_org IS NULL THEN
        v_org := (SELECT o.id FROM orgs AS o ORDER BY o.id LIMIT 1);
    ELSIF v_reason = 'no_session_for_course' THEN
        v_org := (SELECT m.org_id FROM org_members AS m WHERE m.user_id = p_user_id ORDER BY m.org_id LIMIT 1);
    END IF;

    v_detail := CASE v_reason
        WHEN 'already_linked' THEN coalesce(v_wrong, 'A row that is linked stays in its session.')
            || pg_catalog.format(' Today the rules would choose %s.', v_today)
        WHEN 'course_unknown' THEN 'Without a course there is no session to choose.'
        WHEN 'no_membership' THEN 'Only sessions of the user''s organisations are chosen, and he is in none.' || coalesce(v_elsewhere, '')
        WHEN 'no_session_for_course' THEN 'There is no session to choose.'
        WHEN 'no_active_session' THEN 'Only active sessions are chosen, and no organisation of the user has one.'
        WHEN 'session_in_other_org' THEN 'Only sessions of the user''s organisations are chosen, and only others have one.' || coalesce(v_elsewhere, '')
        ELSE pg_catalog.format('%s is chosen: %s.', sessiondb.title_of_session(v_chosen),
                    CASE WHEN v_chosen = v_newest
                         THEN 'the newest active session of the course in the user''s organisations'
                         ELSE 'the session of the student''s enrolment, which is still active' END)
    END;
    v_steps := v_steps || pg_catalog.jsonb_build_object('step', 'choice', 'ok', v_chosen IS NOT NULL AND v_wrong IS NULL, 'detail', v_detail);

    v_fix := CASE
        WHEN v_reason = 'already_linked' THEN v_fix
        -- his enrolment may get another session than his submissions
        WHEN v_reason = 'linked' AND 'enrollments' = ANY (v_unlinked) AND v_chosen <> v_newest THEN 'sessiondb backfill'
        WHEN v_reason = 'linked' AND (p_row IS NOT NULL OR v_unlinked IS NOT NULL) THEN pg_catalog.format('sessiondb backfill --session %s', v_chosen)
        WHEN v_reason = 'course_unknown' THEN coalesce(v_course_fix,
            pg_catalog.format('Check the id of the course: SELECT * FROM %I.courses', pg_catalog.current_schema()))
        WHEN v_is_missing THEN 'Check the id of the user.'
        WHEN v_reason IN ('no_membership', 'session_in_other_org') THEN CASE
            WHEN p_user_id IS NULL THEN 'Give the row a user.'
            WHEN v_org IS NULL THEN 'sessiondb org create --name ''My organisation'' --slug my-organisation'
            ELSE sessiondb.member_command(v_org, p_user_id)
        END
        WHEN v_reason = 'no_session_for_course' THEN sessiondb.session_command(v_org, p_course_id)
        WHEN v_reason = 'no_active_session' THEN pg_catalog.format('sessiondb session set-status %s active', v_session)
    END;

    RETURN pg_catalog.jsonb_build_object('session_id', v_chosen, 'reason', v_reason, 'steps', v_steps, 'fix', v_fix);
END
$function$
