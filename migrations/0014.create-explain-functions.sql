-- Why a student's work is in a session, or in none. Meant to be called: whoever has USAGE on schema
-- sessiondb is told what he may read himself.
--
-- Locks: none on the platform's tables. If the process dies: nothing was committed; run apply again.
--
-- depends: 0013.create-backfill

DO $claim$
BEGIN
    CALL sessiondb.claim('function', 'sessiondb', 'name_of_org');
    CALL sessiondb.claim('function', 'sessiondb', 'slug_of_org');
    CALL sessiondb.claim('function', 'sessiondb', 'title_of_session');
    CALL sessiondb.claim('function', 'sessiondb', 'member_command');
    CALL sessiondb.claim('function', 'sessiondb', 'session_command');
    CALL sessiondb.claim('function', 'sessiondb', 'count_rows');
    CALL sessiondb.claim('function', 'sessiondb', 'explain_user');
    CALL sessiondb.claim('function', 'sessiondb', 'explain_course');
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
    (SELECT coalesce(pg_catalog.to_jsonb(o.*) ->> 'name'::text, pg_catalog.to_jsonb(o.*) ->> 'slug'::text) FROM orgs AS o WHERE o.id = p_org_id),
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
  FROM (SELECT pg_catalog.to_jsonb(o.*) ->> 'slug'::text AS slug FROM orgs AS o WHERE o.id = p_org_id) AS o
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
    (SELECT pg_catalog.format('"%s" (%s)', pg_catalog.to_jsonb(s.*) ->> 'title'::text, s.id) FROM sessions AS s
      WHERE s.id = p_session_id AND pg_catalog.to_jsonb(s.*) ->> 'title'::text IS NOT NULL),
    p_session_id::text)
$function$;

COMMENT ON FUNCTION sessiondb.title_of_session(uuid) IS 'The title of a session with its id';

CREATE OR REPLACE FUNCTION sessiondb.member_command(p_org_id uuid, p_user_id uuid)
RETURNS text
LANGUAGE sql
STABLE
STRICT
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * The command that makes the user a member. It names the organisation by its slug; where the platform has no slugs,
 * only SQL can do it.
 */
SELECT coalesce(
    'sessiondb member add --org ' || sessiondb.slug_of_org(p_org_id) || ' --user ' || p_user_id::text,
    pg_catalog.format('INSERT INTO %I.org_members (org_id, user_id) VALUES (%L, %L)', pg_catalog.current_schema(), p_org_id, p_user_id))
$function$;

COMMENT ON FUNCTION sessiondb.member_command(uuid, uuid) IS 'The command that makes a user a member of an organisation';

CREATE OR REPLACE FUNCTION sessiondb.session_command(p_org_id uuid, p_course_id uuid)
RETURNS text
LANGUAGE sql
STABLE
STRICT
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * The command that creates a session of the course in the organisation, by one of its members, no student if it has
 * others. It names the organisation by its slug; where the platform has no slugs, only SQL can do it.
 */
SELECT coalesce(
    (SELECT 'sessiondb session create --org ' || sessiondb.slug_of_org(p_org_id) || ' --course ' || p_course_id::text || ' --by ' || m.user_id::text
       FROM org_members AS m
      WHERE m.org_id = p_org_id
      ORDER BY (pg_catalog.to_jsonb(m.*) ->> 'role'::text) = 'student'::text, m.user_id
      LIMIT 1),
    pg_catalog.format('INSERT INTO %I.sessions (org_id, course_id, status) VALUES (%L, %L, %L)',
        pg_catalog.current_schema(), p_org_id, p_course_id, 'active'))
$function$;

COMMENT ON FUNCTION sessiondb.session_command(uuid, uuid) IS 'The command that creates a session of a course in an organisation';

CALL sessiondb.compile($compile$
CREATE OR REPLACE FUNCTION sessiondb.count_rows(p_user_id uuid, p_course_id uuid)
RETURNS TABLE (table_name text, session_id uuid, rows bigint)
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * How many rows the user has in the course, by table and by session; session_id is NULL for those that are
 * not linked.
 */
SELECT 'enrollments'::text, e.session_id, pg_catalog.count(*)
  FROM enrollments AS e
 WHERE e.user_id = p_user_id
   AND e.course_id = p_course_id
 GROUP BY e.session_id
UNION ALL
SELECT 'submissions'::text, b.session_id, pg_catalog.count(*)
  FROM submissions AS b
 WHERE b.user_id = p_user_id
   AND course_of(b) = p_course_id
 GROUP BY b.session_id
$function$
$compile$);

COMMENT ON FUNCTION sessiondb.count_rows(uuid, uuid) IS 'How many rows a user has in a course, by table and session';

CREATE OR REPLACE FUNCTION sessiondb.explain_user(p_user_id uuid, OUT is_missing boolean, OUT detail text)
LANGUAGE plpgsql
STABLE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * Says of a user who is nowhere to be seen whether there is such a user at all: the id may be mistyped. Whether
 * there is, the table says that user_id refers to, where the platform has one that the caller may read. detail is
 * NULL for a user who has rows.
 */
DECLARE
    v_users regclass;
    v_key name;
    v_found boolean;
BEGIN
    is_missing := false;
    IF p_user_id IS NULL
        OR EXISTS (SELECT FROM org_members AS m WHERE m.user_id = p_user_id)
        OR EXISTS (SELECT FROM enrollments AS e WHERE e.user_id = p_user_id)
        OR EXISTS (SELECT FROM submissions AS b WHERE b.user_id = p_user_id)
    THEN
        RETURN;
    END IF;
    detail := pg_catalog.format('User %s has no membership, no enrolment and no submission; the id may be wrong.', p_user_id);

    SELECT k.confrelid, f.attname
      INTO v_users, v_key
      FROM pg_catalog.pg_constraint AS k
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attname = 'user_id' AND k.conkey = ARRAY[a.attnum]
      JOIN pg_catalog.pg_attribute AS f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[1]
     WHERE k.contype = 'f'
       AND k.conrelid IN ('org_members'::regclass, 'enrollments'::regclass, 'submissions'::regclass)
       AND pg_catalog.has_schema_privilege((SELECT c.relnamespace FROM pg_catalog.pg_class AS c WHERE c.oid = k.confrelid), 'USAGE')
       AND pg_catalog.has_column_privilege(k.confrelid, f.attnum, 'SELECT')
       AND NOT pg_catalog.row_security_active(k.confrelid)
     LIMIT 1;
    IF v_users IS NULL THEN
        RETURN;
    END IF;
    EXECUTE pg_catalog.format('SELECT EXISTS (SELECT FROM %s AS u WHERE u.%I = $1)', v_users, v_key) INTO v_found USING p_user_id;
    is_missing := NOT v_found;
    detail := CASE
        WHEN v_found THEN pg_catalog.format('User %s has no membership, no enrolment and no submission.', p_user_id)
        ELSE pg_catalog.format('There is no user %s in table %s.', p_user_id, v_users)
    END;
END
$function$;

COMMENT ON FUNCTION sessiondb.explain_user(uuid) IS 'Whether there is a user of whom there are no rows';

CREATE OR REPLACE FUNCTION sessiondb.explain_course(p_table name, p_row_id uuid, p_user_id uuid, OUT detail text, OUT fix text)
LANGUAGE plpgsql
STABLE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * Where the way from a row of enrollments or submissions to its course breaks off, at a column that is NULL or
 * at a row that is gone, and the UPDATE that mends it. Which course was meant only people know: the statement
 * takes one that the user is enrolled in, if there are several one that has a session for him.
 *
 * sessiondb.installation keeps what is joined on the way. t0 is the row that is asked about, t1 and so on are
 * those that it leads to. A literal takes the type of the column that it is compared with.
 */
DECLARE
    v_joins jsonb := CASE p_table
        WHEN 'submissions' THEN (SELECT i.course_joins FROM sessiondb.installation AS i)
        ELSE pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object(
            'from', pg_catalog.format('%I.enrollments', pg_catalog.current_schema()), 'columns', ARRAY['course_id'],
            'to', pg_catalog.format('%I.courses', pg_catalog.current_schema()), 'keys', ARRAY['id'], 'operators', ARRAY['OPERATOR(pg_catalog.=)']))
    END;
    v_last integer := pg_catalog.jsonb_array_length(v_joins);
    v_conditions text[];
    v_query text;
    v_rows jsonb;
    v_place integer;
    v_join jsonb;
    v_row jsonb;
    v_where text;
    v_column text;
    v_courses uuid[];
    v_found jsonb;
    v_course_id uuid;
BEGIN
    SELECT pg_catalog.array_agg(
               (SELECT pg_catalog.string_agg(pg_catalog.format('t%s.%I %s t%s.%I', j.place, c.key, c.operator, j.place - 1, c.column_name), ' AND ')
                  FROM ROWS FROM (pg_catalog.jsonb_array_elements_text(j.step -> 'columns'),
                                  pg_catalog.jsonb_array_elements_text(j.step -> 'keys'),
                                  pg_catalog.jsonb_array_elements_text(j.step -> 'operators')) AS c (column_name, key, operator))
               ORDER BY j.place)
      INTO v_conditions
      FROM pg_catalog.jsonb_array_elements(v_joins) WITH ORDINALITY AS j (step, place);

    -- the rows on the way, as far as there are any
    SELECT pg_catalog.format('SELECT pg_catalog.jsonb_build_array(pg_catalog.to_jsonb(t0), %s) FROM %s AS t0 %s WHERE t0.id = %L',
               pg_catalog.string_agg(pg_catalog.format('pg_catalog.to_jsonb(t%s)', n.place), ', ' ORDER BY n.place),
               v_joins -> 0 ->> 'from',
               pg_catalog.string_agg(pg_catalog.format('LEFT JOIN %s AS t%s ON %s', v_joins -> (n.place - 1) ->> 'to', n.place, v_conditions[n.place]), ' ' ORDER BY n.place),
               p_row_id)
      INTO v_query
      FROM pg_catalog.generate_series(1, v_last) AS n (place);
    EXECUTE v_query INTO v_rows;
    v_place := (SELECT pg_catalog.min(n.place) FROM pg_catalog.generate_series(1, v_last) AS n (place) WHERE v_rows -> n.place = 'null'::jsonb);
    IF v_place IS NULL THEN
        RETURN;
    END IF;

    -- the last row that there is, how to name it, and its column that leads no further
    v_join := v_joins -> (v_place - 1);
    v_row := v_rows -> (v_place - 1);
    v_where := CASE
        WHEN v_place = 1 THEN pg_catalog.format('id = %L', p_row_id)
        ELSE (SELECT pg_catalog.string_agg(pg_catalog.format('%I = %L', k.name, v_row ->> k.name), ' AND ')
                FROM pg_catalog.jsonb_array_elements_text(v_joins -> (v_place - 2) -> 'keys') AS k (name))
    END;
    SELECT c.name INTO v_column
      FROM pg_catalog.jsonb_array_elements_text(v_join -> 'columns') WITH ORDINALITY AS c (name, place)
     ORDER BY (v_row ->> c.name) IS NULL DESC, c.place
     LIMIT 1;
    detail := pg_catalog.format('The row leads to no course: %I of table %s is %s in the row with %s.',
        v_column, v_join ->> 'from',
        coalesce((v_row ->> v_column) || ', of which there is no row in table ' || (v_join ->> 'to') || ',', 'NULL'), v_where);

    v_courses := ARRAY(
        SELECT c.course_id
          FROM (SELECT e.course_id, true AS is_enrolled FROM enrollments AS e WHERE e.user_id = p_user_id
                UNION ALL
                SELECT s.course_id, false
                  FROM org_members AS m
                  JOIN sessions AS s ON s.org_id = m.org_id
                 WHERE m.user_id = p_user_id
                   AND s.status OPERATOR(pg_catalog.=) 'active') AS c
         GROUP BY c.course_id
         ORDER BY pg_catalog.bool_or(c.is_enrolled) DESC,
                  (SELECT h.session_id FROM sessiondb.choose_sessions(ARRAY[p_user_id], ARRAY[c.course_id], false) AS h) IS NULL,
                  c.course_id);
    SELECT pg_catalog.format('SELECT pg_catalog.to_jsonb(t%s), t%s.id FROM %s AS t%s %s %s ORDER BY pg_catalog.array_position($1, t%s.id), t%s.%I LIMIT 1',
               v_place, v_last, v_join ->> 'to', v_place,
               pg_catalog.string_agg(pg_catalog.format('JOIN %s AS t%s ON %s', v_joins -> (n.place - 1) ->> 'to', n.place, v_conditions[n.place]), ' ' ORDER BY n.place),
               -- an enrolment of somebody else would be none of his
               CASE WHEN (v_join ->> 'to')::regclass = 'enrollments'::regclass THEN pg_catalog.format('WHERE t%s.user_id = %L', v_place, p_user_id) END,
               v_last, v_place, v_join -> 'keys' ->> 0)
      INTO v_query
      FROM pg_catalog.generate_series(v_place + 1, v_last) AS n (place);
    EXECUTE v_query INTO v_found, v_course_id USING v_courses;
    IF v_found IS NULL THEN
        fix := pg_catalog.format('Table %s has no row that it could lead to: make one first.', v_join ->> 'to');
        RETURN;
    END IF;
    detail := pg_catalog.format('%s The fix takes course %s%s; which was meant only you know.', detail,
        (SELECT coalesce('"' || (pg_catalog.to_jsonb(k.*) ->> 'title'::text) || '" (' || k.id::text || ')', k.id::text) FROM courses AS k WHERE k.id = v_course_id),
        CASE WHEN EXISTS (SELECT FROM enrollments AS e WHERE e.user_id = p_user_id AND e.course_id = v_course_id) THEN ', in which the user is enrolled' END);
    fix := pg_catalog.format('UPDATE %s SET %s WHERE %s', v_join ->> 'from',
        (SELECT pg_catalog.string_agg(pg_catalog.format('%I = %L', c.column_name, v_found ->> c.key), ', ')
           FROM ROWS FROM (pg_catalog.jsonb_array_elements_text(v_join -> 'columns'), pg_catalog.jsonb_array_elements_text(v_join -> 'keys'))
                AS c (column_name, key)),
        v_where);
END
$function$;

COMMENT ON FUNCTION sessiondb.explain_course(name, uuid, uuid) IS 'Where the way from a row to its course breaks off, and the statement that mends it';

CREATE OR REPLACE FUNCTION sessiondb.explain_link(
    p_user_id uuid, p_course_id uuid, p_session_id uuid DEFAULT NULL, p_row text DEFAULT NULL, p_row_id uuid DEFAULT NULL
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
$function$;

COMMENT ON FUNCTION sessiondb.explain_link(uuid, uuid, uuid, text, uuid) IS
    'Why the work of a user in a course is in the session that it is in, or in none, and what would change that';

CREATE OR REPLACE FUNCTION sessiondb.explain_enrollment(p_id uuid)
RETURNS jsonb
LANGUAGE plpgsql
STABLE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * explain_link() for the enrolment with this id; NULL when there is none. PL/pgSQL, because a platform's
 * enrolments need not have an id: then this fails when it is called, not when it is made; e.id would
 * call a function id(enrollments) that somebody made.
 */
BEGIN
    RETURN (
        SELECT sessiondb.explain_link(e.user_id, e.course_id, e.session_id, 'enrollments', p_id)
          FROM enrollments AS e
         WHERE id OPERATOR(pg_catalog.=) p_id
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
 * explain_link() for the submission with this id; NULL when there is none. As in explain_enrollment, b.id
 * could be a function.
 */
BEGIN
    RETURN (
        SELECT sessiondb.explain_link(b.user_id, course_of(b), b.session_id, 'submissions', p_id)
          FROM submissions AS b
         WHERE id OPERATOR(pg_catalog.=) p_id
    );
END
$function$
$compile$);

COMMENT ON FUNCTION sessiondb.explain_submission(uuid) IS 'Why a submission is in the session that it is in, or in none';

CALL sessiondb.withdraw_default_grants();

CALL sessiondb.record_definitions();
