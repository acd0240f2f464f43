-- The function of the guide, and those of the triggers.
--
-- Locks: none on the platform's tables. If the process dies: nothing was committed; run apply again.
--
-- depends: 0008.choose-course_path

DO $claim$
DECLARE
    v_platform name := (SELECT i.platform_schema FROM sessiondb.installation AS i);
BEGIN
    CALL sessiondb.claim('function', v_platform, 'get_user_session_for_course');
    -- One with other parameter names, defaults or another result cannot be replaced in place, and one of
    -- another owner must not be: he could change ours. It is set aside, so that what depends on it goes on working, and put back by a rollback. The casts are for
    -- operators that the catalog has for just these types: one that somebody made in the platform's schema
    -- would otherwise be taken.
    IF EXISTS (
        SELECT FROM pg_catalog.pg_proc AS p
         WHERE p.oid = pg_catalog.to_regprocedure(pg_catalog.format('%I.get_user_session_for_course(uuid, uuid)', v_platform))::oid
           AND (p.proretset OR p.prorettype <> 'uuid'::pg_catalog.regtype::oid OR p.pronargdefaults > 0 OR p.prokind <> 'f'
                OR p.proowner <> (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user)
                OR p.proargnames::text IS DISTINCT FROM '{p_user_id,p_course_id}')
    ) THEN
        EXECUTE pg_catalog.format('ALTER ROUTINE %I.get_user_session_for_course(uuid, uuid) RENAME TO replaced_get_user_session_for_course', v_platform);
        EXECUTE pg_catalog.format('ALTER ROUTINE %I.replaced_get_user_session_for_course(uuid, uuid) SET SCHEMA sessiondb', v_platform);
        UPDATE sessiondb.objects
           SET previous_definition = pg_catalog.format(
                   'DROP FUNCTION %1$I.get_user_session_for_course(uuid, uuid); '
                   'ALTER ROUTINE sessiondb.replaced_get_user_session_for_course(uuid, uuid) SET SCHEMA %1$I; '
                   'ALTER ROUTINE %1$I.replaced_get_user_session_for_course(uuid, uuid) RENAME TO get_user_session_for_course', v_platform)
         WHERE kind = 'function' AND parent = v_platform AND name = 'get_user_session_for_course';
    END IF;
    CALL sessiondb.claim('function', 'sessiondb', 'find_session');
    CALL sessiondb.claim('function', 'sessiondb', 'link_enrollment');
    CALL sessiondb.claim('function', 'sessiondb', 'link_submission');
    CALL sessiondb.claim('function', 'sessiondb', 'refuse_session');
    CALL sessiondb.claim('function', 'sessiondb', 'check_enrollment');
    CALL sessiondb.claim('function', 'sessiondb', 'check_submission');
END
$claim$;

CREATE OR REPLACE FUNCTION get_user_session_for_course(p_user_id uuid, p_course_id uuid)
RETURNS uuid
LANGUAGE plpgsql
STABLE
SECURITY INVOKER
PARALLEL SAFE
SET search_path FROM CURRENT
AS $function$
/*
 * The session of a user in a course, for the platform to ask: word for word sessiondb.find_session(), but
 * for the lock. Two of them, because an application has no way into schema sessiondb, and the triggers
 * must not depend on what others may make in the platform's schema, where one more function of this name
 * would do to make their call ambiguous.
 *
 * SECURITY INVOKER: a caller is told nothing that his own rights and row policies hide from him.
 */
DECLARE
    v_session_id uuid;
BEGIN
    SELECT newest.id
      INTO v_session_id
      FROM org_members AS m
     CROSS JOIN LATERAL (
            SELECT s.id, s.created_at
              FROM sessions AS s
             WHERE s.org_id = m.org_id
               AND s.course_id = p_course_id
               AND s.status OPERATOR(pg_catalog.=) 'active'
             ORDER BY s.created_at DESC NULLS LAST, s.id DESC
             LIMIT 1
           ) AS newest
     WHERE m.user_id = p_user_id
     ORDER BY newest.created_at DESC NULLS LAST, newest.id DESC
     LIMIT 1;

    RETURN v_session_id;
END
$function$;

COMMENT ON FUNCTION get_user_session_for_course(uuid, uuid) IS
    'The newest active session of the course in one of the user''s organisations, NULL if none (sessiondb)';

DO $owner$
BEGIN
    IF (SELECT p.proowner FROM pg_catalog.pg_proc AS p WHERE p.oid = 'get_user_session_for_course(uuid, uuid)'::pg_catalog.regprocedure::oid)
        <> (SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user)
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_in_use',
            MESSAGE = 'somebody else makes a function get_user_session_for_course(uuid, uuid) while we do',
            HINT = 'REVOKE CREATE ON the schema FROM him, drop his function and run sessiondb apply again.';
    END IF;
END
$owner$;

CREATE OR REPLACE FUNCTION sessiondb.find_session(p_user_id uuid, p_course_id uuid)
RETURNS uuid
LANGUAGE plpgsql
VOLATILE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * The session of a user in a course, for the triggers: of the active sessions of the course in the
 * organisations that the user is a member of, the one with the newest created_at (unknown dates last),
 * and of several such the one with the greatest id. NULL when there is none.
 *
 * FOR KEY SHARE is the lock that the foreign key takes after the row is stored. Taken here, it makes us
 * wait for who is just deleting the session, and then go on to the next one: the row would be refused
 * otherwise. Somebody else's other changes to the session wait for nothing, nor do we for them.
 *
 * One probe of the index per organisation, so that the number of sessions does not matter. SELECT INTO,
 * because RETURN (SELECT ...) would run the query as a part of another (docs/performance.md).
 * OPERATOR(pg_catalog.=): status may be an enum, and then a more exact "=" that someone made in the
 * platform's schema would be taken before the catalog's.
 */
DECLARE
    v_session_id uuid;
BEGIN
    SELECT newest.id
      INTO v_session_id
      FROM org_members AS m
     CROSS JOIN LATERAL (
            SELECT s.id, s.created_at
              FROM sessions AS s
             WHERE s.org_id = m.org_id
               AND s.course_id = p_course_id
               AND s.status OPERATOR(pg_catalog.=) 'active'
             ORDER BY s.created_at DESC NULLS LAST, s.id DESC
             LIMIT 1
               FOR KEY SHARE
           ) AS newest
     WHERE m.user_id = p_user_id
     ORDER BY newest.created_at DESC NULLS LAST, newest.id DESC
     LIMIT 1;

    RETURN v_session_id;
END
$function$;

COMMENT ON FUNCTION sessiondb.find_session(uuid, uuid) IS
    'The newest active session of the course in one of the user''s organisations, which cannot be deleted before the transaction ends; NULL if none';

REVOKE ALL ON FUNCTION sessiondb.find_session(uuid, uuid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.link_enrollment()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
/*
 * BEFORE INSERT on enrollments, only where session_id is NULL: the session of the student in the
 * course. None found leaves NULL; an enrolment never fails for want of a session.
 *
 * SECURITY DEFINER: a student may enrol without the right to read org_members or sessions.
 */
BEGIN
    NEW.session_id := sessiondb.find_session(NEW.user_id, NEW.course_id);
    RETURN NEW;
END
$function$;

COMMENT ON FUNCTION sessiondb.link_enrollment() IS
    'Trigger function: gives a new enrolment the session of its student in its course';

REVOKE ALL ON FUNCTION sessiondb.link_enrollment() FROM PUBLIC;

CALL sessiondb.compile($compile$
CREATE OR REPLACE FUNCTION sessiondb.link_submission()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
/*
 * BEFORE INSERT on submissions, only where session_id is NULL: the session of the student's
 * enrolment in the course while it is still eligible (so that a student of the autumn group stays
 * in it when a winter group opens), else his session in the course as for an enrolment. None found
 * leaves NULL; a submission never fails for want of a session.
 *
 * FOR KEY SHARE as in find_session(). LIMIT 1 in the inner query keeps the planner from joining the other way round, and so from reading
 * all active sessions of the course in the student's organisations.
 *
 * In the source course_of() stands for the way to the course; sessiondb.compile() put the expression
 * of this platform in its place.
 *
 * SECURITY DEFINER: a student may submit without the right to read org_members or sessions.
 */
DECLARE
    v_course_id uuid := course_of(NEW);
BEGIN
    SELECT eligible.id
      INTO NEW.session_id
      FROM enrollments AS e
     CROSS JOIN LATERAL (
            SELECT s.id, s.created_at
              FROM sessions AS s
             WHERE s.id = e.session_id
               AND s.course_id = e.course_id
               AND s.status OPERATOR(pg_catalog.=) 'active'
               AND EXISTS (SELECT FROM org_members AS m WHERE m.org_id = s.org_id AND m.user_id = e.user_id)
             LIMIT 1
               FOR KEY SHARE OF s
           ) AS eligible
     WHERE e.user_id = NEW.user_id
       AND e.course_id = v_course_id
     ORDER BY eligible.created_at DESC NULLS LAST, eligible.id DESC
     LIMIT 1;

    IF NOT FOUND THEN
        NEW.session_id := sessiondb.find_session(NEW.user_id, v_course_id);
    END IF;
    RETURN NEW;
END
$function$
$compile$);

COMMENT ON FUNCTION sessiondb.link_submission() IS
    'Trigger function: gives a new submission the session of its student in its course';

REVOKE ALL ON FUNCTION sessiondb.link_submission() FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.refuse_session(p_table text, p_session_id uuid)
RETURNS void
LANGUAGE plpgsql
STABLE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * Refuses a session that the client gave and that does not fit the row.
 *
 * One answer for all: who may not read sessions and org_members must not learn by trying whether a
 * session exists, of which course it is, or to which course an exercise leads.
 */
BEGIN
    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        MESSAGE = pg_catalog.format('session %s does not fit this row of table "%s"', p_session_id, p_table),
        DETAIL = 'There is no such session of the row''s course in an organisation that the row''s user is a member of.',
        HINT = 'Leave session_id out to have the right session found, or give a session of the same course '
               'in an organisation of the user.',
        SCHEMA = pg_catalog.current_schema(),
        TABLE = p_table,
        COLUMN = 'session_id',
        CONSTRAINT = p_table || '_session_id_coherent';
END
$function$;

COMMENT ON FUNCTION sessiondb.refuse_session(text, uuid) IS
    'Raises check_violation: a session given by the client is not of the row''s course or of the user''s organisations';

REVOKE ALL ON FUNCTION sessiondb.refuse_session(text, uuid) FROM PUBLIC;

CREATE OR REPLACE FUNCTION sessiondb.check_enrollment()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
/*
 * BEFORE INSERT or UPDATE on enrollments, only where the client gave a session: it must be of the row's
 * course, and the row's user a member of its organisation. Otherwise a student could write himself into
 * the dashboard of another organisation. The status does not matter: staff may place someone by hand in
 * a session that has not begun or is over.
 *
 * A session that is not there yet is refused, and not left to the foreign key: that looks at the end
 * of the statement, or of the transaction, when somebody may have made it in any organisation.
 *
 * SECURITY DEFINER: the client need not be able to read org_members or sessions.
 */
BEGIN
    IF NOT EXISTS (
        SELECT FROM sessions AS s
          JOIN org_members AS m ON m.org_id = s.org_id
         WHERE s.id = NEW.session_id
           AND s.course_id = NEW.course_id
           AND m.user_id = NEW.user_id)
    THEN
        PERFORM sessiondb.refuse_session('enrollments', NEW.session_id);
    END IF;
    RETURN NEW;
END
$function$;

COMMENT ON FUNCTION sessiondb.check_enrollment() IS
    'Trigger function: refuses a session that is not of the enrolment''s course or of the student''s organisations';

REVOKE ALL ON FUNCTION sessiondb.check_enrollment() FROM PUBLIC;

CALL sessiondb.compile($compile$
CREATE OR REPLACE FUNCTION sessiondb.check_submission()
RETURNS trigger
LANGUAGE plpgsql
VOLATILE
SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
/*
 * BEFORE INSERT or UPDATE on submissions, only where the client gave a session: it must be of the row's
 * course, and the row's user a member of its organisation. Otherwise a student could write himself into
 * the dashboard of another organisation. The status does not matter: staff may place someone by hand in
 * a session that has not begun or is over.
 *
 * A session that is not there yet is refused, and not left to the foreign key: that looks at the end
 * of the statement, or of the transaction, when somebody may have made it in any organisation.
 *
 * course_of() is compiled as in link_submission.
 *
 * SECURITY DEFINER: the client need not be able to read org_members or sessions.
 */
BEGIN
    IF NOT EXISTS (
        SELECT FROM sessions AS s
          JOIN org_members AS m ON m.org_id = s.org_id
         WHERE s.id = NEW.session_id
           AND s.course_id = course_of(NEW)
           AND m.user_id = NEW.user_id)
    THEN
        PERFORM sessiondb.refuse_session('submissions', NEW.session_id);
    END IF;
    RETURN NEW;
END
$function$
$compile$);

COMMENT ON FUNCTION sessiondb.check_submission() IS
    'Trigger function: refuses a session that is not of the submission''s course or of the student''s organisations';

REVOKE ALL ON FUNCTION sessiondb.check_submission() FROM PUBLIC;

CALL sessiondb.withdraw_default_grants();

CALL sessiondb.record_definitions();
