CREATE OR REPLACE FUNCTION sessiondb.require_coherent_session(
    p_table text, p_session_id uuid, p_user_id uuid, p_course_id uuid
)
RETURNS void
LANGUAGE plpgsql
STABLE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * Refuses a session that the client gave and that does not fit the row: it must be of the row's
 * course, and the row's user a member of its organisation. Otherwise a student could write himself
 * into the dashboard of another organisation. The status does not matter: staff may place someone
 * by hand in a session that has not begun or is over.
 *
 * A session that does not exist is left to the foreign key, which names it better.
 * DETAIL repeats only what the client sent, never what the session or its organisation holds.
 */
DECLARE
    v_of_course boolean;
    v_of_member boolean;
BEGIN
    SELECT s.course_id = p_course_id,
           EXISTS (SELECT FROM org_members AS m WHERE m.org_id = s.org_id AND m.user_id = p_user_id)
      INTO v_of_course, v_of_member
      FROM sessions AS s
     WHERE s.id = p_session_id;

    IF NOT FOUND OR (v_of_course AND v_of_member) THEN
        RETURN;
    END IF;

    RAISE EXCEPTION USING
        ERRCODE = 'check_violation',
        MESSAGE = pg_catalog.format('session %s does not fit this row of table "%s"', p_session_id, p_table),
        DETAIL = CASE
            WHEN p_course_id IS NULL THEN 'The row belongs to no course, so to no session either.'
            WHEN v_of_course IS NOT TRUE THEN pg_catalog.format('The session is not one of course %s.', p_course_id)
            ELSE pg_catalog.format('User %s is not a member of the organisation of the session.', p_user_id)
        END,
        HINT = 'Leave session_id out to have the right session found, or give a session of the same course '
               'in an organisation of the user.',
        SCHEMA = pg_catalog.current_schema(),
        TABLE = p_table,
        COLUMN = 'session_id',
        CONSTRAINT = p_table || '_session_id_coherent';
END
$function$;

COMMENT ON FUNCTION sessiondb.require_coherent_session(text, uuid, uuid, uuid) IS
    'Raises check_violation when a session given by the client is not of the row''s course or of the user''s organisations';

REVOKE ALL ON FUNCTION sessiondb.require_coherent_session(text, uuid, uuid, uuid) FROM PUBLIC;
