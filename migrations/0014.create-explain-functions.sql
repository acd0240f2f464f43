-- Why a student's work is in a session, or in none. Meant to be called: whoever has USAGE on schema
-- sessiondb is told what he may read himself.
--
-- Locks: none on the host's tables. If the process dies: nothing was committed; run apply again.
--
-- depends: 0013.create-backfill

DO $claim$
BEGIN
    CALL sessiondb.claim('function', 'sessiondb', 'name_of_org');
    CALL sessiondb.claim('function', 'sessiondb', 'slug_of_org');
    CALL sessiondb.claim('function', 'sessiondb', 'title_of_session');
    CALL sessiondb.claim('function', 'sessiondb', 'explain_link');
    CALL sessiondb.claim('function', 'sessiondb', 'explain_enrollment');
    CALL sessiondb.claim('function', 'sessiondb', 'explain_submission');
END
$claim$;

CREATE OR REPLACE FUNCTION sessiondb.name_of_org(p_org_id uuid)
RETURNS text
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * What people call the organisation: its name, else its slug, else its id.
 */
SELECT coalesce(
    (SELECT coalesce(pg_catalog.to_jsonb(o) ->> 'name'::text, pg_catalog.to_jsonb(o) ->> 'slug'::text) FROM orgs AS o WHERE o.id = p_org_id),
    'organisation ' || p_org_id::text)
$function$;

COMMENT ON FUNCTION sessiondb.name_of_org(uuid) IS 'What people call an organisation';

CREATE OR REPLACE FUNCTION sessiondb.slug_of_org(p_org_id uuid)
RETURNS text
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * The slug of the organisation as a command line takes it; NULL where it has none.
 */
SELECT CASE
           WHEN o.slug ~ '^[A-Za-z0-9._-]+$' THEN o.slug
           ELSE '''' || pg_catalog.replace(o.slug, '''', '''\''''') || ''''
       END
  FROM (SELECT pg_catalog.to_jsonb(o) ->> 'slug'::text AS slug FROM orgs AS o WHERE o.id = p_org_id) AS o
$function$;

COMMENT ON FUNCTION sessiondb.slug_of_org(uuid) IS 'The slug of an organisation, quoted for a shell where it needs to be';

CREATE OR REPLACE FUNCTION sessiondb.title_of_session(p_session_id uuid)
RETURNS text
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * The title of the session with its id, or its id alone.
 */
SELECT coalesce(
    (SELECT pg_catalog.format('"%s" (%s)', pg_catalog.to_jsonb(s) ->> 'title'::text, s.id) FROM sessions AS s
      WHERE s.id = p_session_id AND pg_catalog.to_jsonb(s) ->> 'title'::text IS NOT NULL),
    p_session_id::text)
$function$;

COMMENT ON FUNCTION sessiondb.title_of_session(uuid) IS 'The title of a session with its id';

CREATE OR REPLACE FUNCTION sessiondb.explain_link(
    p_user_id uuid, p_course_id uuid, p_session_id uuid DEFAULT NULL, p_row text DEFAULT NULL
)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * Why the work of a user in a course is in the session that it is in, or in none:
 * {"session_id", "reason", "steps": [{"step", "ok", "detail"}], "fix"}. The rules are those of the
 * triggers; choose_sessions() decides.
 *
 * p_session_id  the session that the row which is asked about is linked to
 * p_row         enrollments or submissions, where a row is asked about; NULL for a user and a course
 *
 * SECURITY INVOKER: whoever asks is told what he may read himself. to_jsonb() reads the columns that a
 * host need not have, names and slugs.
 */
DECLARE
    v_reason text;
    v_chosen uuid;
    v_steps jsonb := '[]'::jsonb;
    v_fix text;
    v_org uuid;
    v_session uuid;
    v_elsewhere text;
    v_slug text;
    v_ok boolean;
    v_detail text;
BEGIN
    SELECT c.session_id, coalesce(c.reason, 'linked')
      INTO v_chosen, v_reason
      FROM sessiondb.choose_sessions(ARRAY[p_user_id], ARRAY[p_course_id], p_row IS DISTINCT FROM 'enrollments') AS c;
    IF p_session_id IS NOT NULL THEN
        v_reason := 'already_linked';
        v_chosen := p_session_id;
        v_steps := v_steps || pg_catalog.jsonb_build_object(
            'step', 'row', 'ok', true, 'detail', pg_catalog.format('The row is linked to session %s.', sessiondb.title_of_session(p_session_id)));
    ELSIF p_row IS NOT NULL THEN
        v_steps := v_steps || pg_catalog.jsonb_build_object('step', 'row', 'ok', false, 'detail', 'The row has no session.');
    END IF;

    SELECT pg_catalog.count(*) > 0,
           coalesce(pg_catalog.min('Course ' || coalesce('"' || (pg_catalog.to_jsonb(k) ->> 'title'::text) || '" (' || k.id::text || ')', k.id::text) || '.'),
               CASE WHEN p_course_id IS NULL THEN 'The row leads to no course.' ELSE pg_catalog.format('There is no course %s.', p_course_id) END)
      INTO v_ok, v_detail
      FROM courses AS k
     WHERE k.id = p_course_id;
    v_steps := v_steps || pg_catalog.jsonb_build_object('step', 'course', 'ok', v_ok, 'detail', v_detail);

    SELECT pg_catalog.count(*) > 0,
           coalesce('Member of ' || pg_catalog.string_agg(
               pg_catalog.format('%s (%s)', sessiondb.name_of_org(m.org_id), coalesce(pg_catalog.to_jsonb(m) ->> 'role'::text, '-')), ', ' ORDER BY m.org_id) || '.',
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
                           pg_catalog.format('"%s" %s', coalesce(pg_catalog.to_jsonb(s) ->> 'title'::text, s.id::text), s.status)
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
        WHEN 'already_linked' THEN 'A row that is linked stays in its session.'
        WHEN 'course_unknown' THEN 'Without a course there is no session to choose.'
        WHEN 'no_membership' THEN 'Only sessions of the user''s organisations are chosen, and he is in none.' || coalesce(v_elsewhere, '')
        WHEN 'no_session_for_course' THEN 'There is no session to choose.'
        WHEN 'no_active_session' THEN 'Only active sessions are chosen, and no organisation of the user has one.'
        WHEN 'session_in_other_org' THEN 'Only sessions of the user''s organisations are chosen, and only others have one.' || coalesce(v_elsewhere, '')
        ELSE pg_catalog.format('%s is chosen: %s.', sessiondb.title_of_session(v_chosen),
                    CASE WHEN v_chosen = sessiondb.find_session(p_user_id, p_course_id)
                         THEN 'the newest active session of the course in the user''s organisations'
                         ELSE 'the session of the student''s enrolment, which is still active' END)
    END;
    v_steps := v_steps || pg_catalog.jsonb_build_object('step', 'choice', 'ok', v_chosen IS NOT NULL, 'detail', v_detail);

    -- a command names an organisation by its slug; of a host that has no slugs only SQL can
    v_slug := sessiondb.slug_of_org(v_org);
    v_fix := CASE
        WHEN v_reason = 'linked' AND p_row IS NOT NULL THEN pg_catalog.format('sessiondb backfill --session %s', v_chosen)
        WHEN v_reason = 'course_unknown' THEN 'Give the row a course that exists: SELECT * FROM courses'
        WHEN v_reason IN ('no_membership', 'session_in_other_org') THEN CASE
            WHEN p_user_id IS NULL THEN 'Give the row a user.'
            WHEN v_org IS NULL THEN 'sessiondb org create --name ''My organisation'' --slug my-organisation'
            WHEN v_slug IS NULL THEN pg_catalog.format('INSERT INTO %I.org_members (org_id, user_id) VALUES (%L, %L)',
                pg_catalog.current_schema(), v_org, p_user_id)
            ELSE pg_catalog.format('sessiondb member add --org %s --user %s', v_slug, p_user_id)
        END
        WHEN v_reason = 'no_session_for_course' AND v_slug IS NULL THEN
            pg_catalog.format('INSERT INTO %I.sessions (org_id, course_id, status) VALUES (%L, %L, %L)',
                pg_catalog.current_schema(), v_org, p_course_id, 'active')
        WHEN v_reason = 'no_session_for_course' THEN
            pg_catalog.format('sessiondb session create --org %s --course %s --by %s', v_slug, p_course_id,
                (SELECT m.user_id FROM org_members AS m WHERE m.org_id = v_org
                  ORDER BY (pg_catalog.to_jsonb(m) ->> 'role'::text) = 'student'::text, m.user_id LIMIT 1))
        WHEN v_reason = 'no_active_session' THEN pg_catalog.format('sessiondb session set-status %s active', v_session)
    END;

    RETURN pg_catalog.jsonb_build_object('session_id', v_chosen, 'reason', v_reason, 'steps', v_steps, 'fix', v_fix);
END
$function$;

COMMENT ON FUNCTION sessiondb.explain_link(uuid, uuid, uuid, text) IS
    'Why the work of a user in a course is in the session that it is in, or in none, and what would change that';

CREATE OR REPLACE FUNCTION sessiondb.explain_enrollment(p_id uuid)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * explain_link() for the enrolment with this id; NULL when there is none. PL/pgSQL, because a host's
 * enrolments need not have an id: then this fails when it is called, not when it is made.
 */
BEGIN
    RETURN (
        SELECT sessiondb.explain_link(e.user_id, e.course_id, e.session_id, 'enrollments')
          FROM enrollments AS e
         WHERE e.id = p_id
    );
END
$function$;

COMMENT ON FUNCTION sessiondb.explain_enrollment(uuid) IS 'Why an enrolment is in the session that it is in, or in none';

CALL sessiondb.compile($compile$
CREATE OR REPLACE FUNCTION sessiondb.explain_submission(p_id uuid)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * explain_link() for the submission with this id; NULL when there is none.
 */
BEGIN
    RETURN (
        SELECT sessiondb.explain_link(b.user_id, course_of(b), b.session_id, 'submissions')
          FROM submissions AS b
         WHERE b.id = p_id
    );
END
$function$
$compile$);

COMMENT ON FUNCTION sessiondb.explain_submission(uuid) IS 'Why a submission is in the session that it is in, or in none';

CALL sessiondb.withdraw_default_grants();

CALL sessiondb.record_definitions();
