-- What the guide does by hand: an organisation, its members, its sessions. For the command line and
-- for a page of the trainers' portal alike.
--
-- Locks: none on the platform's tables. If the process dies: nothing was committed; run apply again.
--
-- depends: 0009.create-link-functions

DO $claim$
BEGIN
    CALL sessiondb.claim('function', 'sessiondb', 'org_of_slug');
    CALL sessiondb.claim('function', 'sessiondb', 'create_org');
    CALL sessiondb.claim('function', 'sessiondb', 'add_member');
    CALL sessiondb.claim('function', 'sessiondb', 'count_linkable');
    CALL sessiondb.claim('function', 'sessiondb', 'session_status');
    CALL sessiondb.claim('function', 'sessiondb', 'create_session');
    CALL sessiondb.claim('function', 'sessiondb', 'set_session_status');
END
$claim$;

CREATE OR REPLACE FUNCTION sessiondb.org_of_slug(p_slug text)
RETURNS uuid
LANGUAGE plpgsql
STABLE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * The id of the organisation with this slug; raises no_data_found when there is none.
 * OPERATOR(pg_catalog.=): a slug may be varchar, and the catalog has no "=" for varchar and text.
 */
DECLARE
    -- not o.slug: where there is no such column, that would call a function slug(orgs) that somebody made
    v_id uuid := (SELECT o.id FROM orgs AS o WHERE slug OPERATOR(pg_catalog.=) p_slug);
BEGIN
    IF v_id IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = pg_catalog.format('there is no organisation with the slug "%s"', p_slug),
            HINT = 'Create it with: sessiondb org create --name NAME --slug SLUG';
    END IF;
    RETURN v_id;
END
$function$;

COMMENT ON FUNCTION sessiondb.org_of_slug(text) IS
    'The id of the organisation with a slug; raises no_data_found when there is none';

REVOKE ALL ON FUNCTION sessiondb.org_of_slug(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.create_org(p_name text, p_slug text)
RETURNS TABLE (id uuid, name text, slug text, created boolean)
LANGUAGE plpgsql
VOLATILE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * The organisation with this slug, made if there is none yet; one that exists is left as it is.
 * OPERATOR(pg_catalog.=): as in org_of_slug.
 */
#variable_conflict use_column
BEGIN
    IF p_name IS NULL OR p_name !~ '\S' OR p_slug IS NULL OR p_slug !~ '\S' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'an organisation needs a name and a slug that are not empty',
            HINT = 'Give both: sessiondb org create --name NAME --slug SLUG';
    END IF;

    -- not o.slug: where there is no such column, that would call a function slug(orgs) that somebody made
    RETURN QUERY
        SELECT o.id, pg_catalog.to_jsonb(o.*) ->> 'name'::text, p_slug, false FROM orgs AS o WHERE slug OPERATOR(pg_catalog.=) p_slug;
    IF NOT FOUND THEN
        RETURN QUERY
            INSERT INTO orgs AS o (name, slug) VALUES (p_name, p_slug)
            RETURNING o.id, o.name::text, o.slug::text, true;
    END IF;
END
$function$;

COMMENT ON FUNCTION sessiondb.create_org(text, text) IS
    'The organisation with a slug, made if there is none yet';

REVOKE ALL ON FUNCTION sessiondb.create_org(text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.add_member(p_org_slug text, p_user_id uuid, p_role text DEFAULT 'student')
RETURNS TABLE (org_id uuid, user_id uuid, role text, created boolean)
LANGUAGE plpgsql
VOLATILE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * Makes the user a member of the organisation; one who is a member already keeps the role he has.
 * Whether the user exists is for the platform's own foreign key to say.
 */
#variable_conflict use_column
DECLARE
    v_org_id uuid := sessiondb.org_of_slug(p_org_slug);
    v_role org_members.role%TYPE;
BEGIN
    IF p_role !~ '\S' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'the role of a member cannot be empty',
            HINT = 'Leave it out to make the user a student.';
    END IF;

    RETURN QUERY
        SELECT m.org_id, m.user_id, m.role::text, false
          FROM org_members AS m
         WHERE m.org_id = v_org_id AND m.user_id = p_user_id
         LIMIT 1;
    IF NOT FOUND THEN
        v_role := p_role;
        RETURN QUERY
            INSERT INTO org_members AS m (org_id, user_id, role) VALUES (v_org_id, p_user_id, v_role)
            RETURNING m.org_id, m.user_id, m.role::text, true;
    END IF;
END
$function$;

COMMENT ON FUNCTION sessiondb.add_member(text, uuid, text) IS
    'Makes a user a member of the organisation with a slug, if he is not yet';

REVOKE ALL ON FUNCTION sessiondb.add_member(text, uuid, text) FROM PUBLIC;

CALL sessiondb.compile($compile$
CREATE OR REPLACE FUNCTION sessiondb.count_linkable(p_course_id uuid)
RETURNS TABLE (enrollments bigint, submissions bigint)
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * How many unlinked rows of the course a backfill would link now: those whose user is a member of
 * an organisation with an active session of the course.
 */
WITH entitled AS MATERIALIZED (
    SELECT DISTINCT m.user_id
      FROM sessions AS s
      JOIN org_members AS m ON m.org_id = s.org_id
     WHERE s.course_id = p_course_id
       AND s.status OPERATOR(pg_catalog.=) 'active'
)
SELECT (SELECT pg_catalog.count(*)
          FROM enrollments AS e
         WHERE e.session_id IS NULL
           AND e.course_id = p_course_id
           AND e.user_id IN (SELECT t.user_id FROM entitled AS t)),
       (SELECT pg_catalog.count(*)
          FROM submissions AS b
         WHERE b.session_id IS NULL
           AND b.user_id IN (SELECT t.user_id FROM entitled AS t)
           AND course_of(b) = p_course_id)
$function$
$compile$);

COMMENT ON FUNCTION sessiondb.count_linkable(uuid) IS
    'How many unlinked enrolments and submissions of a course a backfill would link now';

REVOKE ALL ON FUNCTION sessiondb.count_linkable(uuid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.session_status(p_status text)
RETURNS text
LANGUAGE plpgsql
STABLE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * p_status, if it is one that a session may have; raises invalid_parameter_value otherwise. Where
 * the platform lists its statuses, in an enum or a CHECK, the platform decides, when the row is written.
 * Where the column takes any text, a mistyped status would make a session that nobody is ever
 * linked to, so only the usual words and those in use are taken.
 */
DECLARE
    v_labels text;
BEGIN
    SELECT pg_catalog.string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
      INTO v_labels
      FROM pg_catalog.pg_attribute AS a
      JOIN pg_catalog.pg_enum AS e ON e.enumtypid = a.atttypid
     WHERE a.attrelid = 'sessions'::pg_catalog.regclass::oid AND a.attname = 'status';
    IF v_labels IS NOT NULL THEN
        IF p_status <> ALL (pg_catalog.string_to_array(v_labels, ', ')) THEN
            RAISE EXCEPTION USING
                ERRCODE = 'invalid_parameter_value',
                MESSAGE = pg_catalog.format('unknown session status "%s"', p_status),
                HINT = 'The platform knows: ' || v_labels;
        END IF;
        RETURN p_status;
    END IF;
    IF p_status IN ('draft', 'planned', 'scheduled', 'active', 'paused', 'completed', 'cancelled', 'archived')
        OR EXISTS (SELECT FROM sessions AS s WHERE s.status::text = p_status)
        OR EXISTS (
            SELECT FROM pg_catalog.pg_attribute AS a
             WHERE a.attrelid = 'sessions'::pg_catalog.regclass::oid
               AND a.attname = 'status'
               AND EXISTS (
                    SELECT FROM pg_catalog.pg_constraint AS c
                     WHERE c.conrelid = a.attrelid AND c.contype = 'c' AND a.attnum = ANY (c.conkey)))
    THEN
        RETURN p_status;
    END IF;
    RAISE EXCEPTION USING
        ERRCODE = 'invalid_parameter_value',
        MESSAGE = pg_catalog.format('unknown session status "%s"', p_status),
        HINT = 'The status that links students is active; others in use are for instance draft, scheduled, completed, cancelled.';
END
$function$;

COMMENT ON FUNCTION sessiondb.session_status(text) IS
    'The status, if a session may have it; raises invalid_parameter_value otherwise';

REVOKE ALL ON FUNCTION sessiondb.session_status(text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.create_session(
    p_org_slug text, p_course_id uuid, p_created_by uuid, p_title text DEFAULT NULL, p_status text DEFAULT 'active'
)
RETURNS TABLE (
    id uuid, org_id uuid, course_id uuid, title text, status text, linkable_enrollments bigint, linkable_submissions bigint
)
LANGUAGE plpgsql
VOLATILE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * A new session of the course for the organisation, titled after the course where no title is
 * given, and how many unlinked rows of the course a backfill would link now.
 */
#variable_conflict use_column
DECLARE
    v_org_id uuid := sessiondb.org_of_slug(p_org_slug);
    v_status sessions.status%TYPE;
    v_course_title text;
BEGIN
    -- not c.title: where there is no such column, that would call a function title(courses) that somebody made
    SELECT coalesce(pg_catalog.to_jsonb(c.*) ->> 'title'::text, c.id::text) INTO v_course_title FROM courses AS c WHERE c.id = p_course_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = pg_catalog.format('there is no course with the id %s', p_course_id),
            HINT = 'List them with: SELECT id, title FROM courses';
    END IF;
    IF p_title !~ '\S' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'the title of a session cannot be empty',
            HINT = 'Leave it out to have the session named after its course.';
    END IF;

    v_status := sessiondb.session_status(p_status);
    INSERT INTO sessions AS s (org_id, course_id, title, status, created_by)
    VALUES (v_org_id, p_course_id, coalesce(p_title, 'Session - ' || v_course_title), v_status, p_created_by)
    RETURNING s.id, s.org_id, s.course_id, s.title::text, s.status::text
         INTO id, org_id, course_id, title, status;
    SELECT l.enrollments, l.submissions
      INTO linkable_enrollments, linkable_submissions
      FROM sessiondb.count_linkable(p_course_id) AS l;
    RETURN NEXT;
END
$function$;

COMMENT ON FUNCTION sessiondb.create_session(text, uuid, uuid, text, text) IS
    'Makes a session of a course for an organisation and counts the rows that a backfill would link now';

REVOKE ALL ON FUNCTION sessiondb.create_session(text, uuid, uuid, text, text) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.set_session_status(p_session_id uuid, p_status text)
RETURNS TABLE (
    id uuid, org_id uuid, course_id uuid, title text, status text, linkable_enrollments bigint, linkable_submissions bigint
)
LANGUAGE plpgsql
VOLATILE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * Gives the session another status, and counts the unlinked rows of its course that a backfill
 * would link now. Rows that are linked stay linked.
 */
#variable_conflict use_column
DECLARE
    v_status sessions.status%TYPE := sessiondb.session_status(p_status);
BEGIN
    UPDATE sessions AS s
       SET status = v_status
     WHERE s.id = p_session_id
    -- not s.title: where there is no such column, that would call a function title(sessions) that somebody made
    RETURNING s.id, s.org_id, s.course_id, pg_catalog.to_jsonb(s.*) ->> 'title'::text, s.status::text
         INTO id, org_id, course_id, title, status;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = pg_catalog.format('there is no session with the id %s', p_session_id),
            HINT = 'List them with: sessiondb session list';
    END IF;
    SELECT l.enrollments, l.submissions
      INTO linkable_enrollments, linkable_submissions
      FROM sessiondb.count_linkable(course_id) AS l;
    RETURN NEXT;
END
$function$;

COMMENT ON FUNCTION sessiondb.set_session_status(uuid, text) IS
    'Gives a session another status and counts the rows that a backfill would link now';

REVOKE ALL ON FUNCTION sessiondb.set_session_status(uuid, text) FROM PUBLIC;

CALL sessiondb.withdraw_default_grants();

CALL sessiondb.record_definitions();
