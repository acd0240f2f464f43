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
 * A session that is not there yet is refused, and not left to the foreign key: that looks at the end
 * of the statement, or of the transaction, when somebody may have made it in any organisation.
 *
 * One answer for all: who may not read sessions and org_members must not learn by trying whether a
 * session exists, of which course it is, or to which course an exercise leads.
 */
BEGIN
    IF NOT EXISTS (
        SELECT FROM sessions AS s
          JOIN org_members AS m ON m.org_id = s.org_id
         WHERE s.id = p_session_id
           AND s.course_id = p_course_id
           AND m.user_id = p_user_id)
    THEN
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
    END IF;
END
$function$;

COMMENT ON FUNCTION sessiondb.require_coherent_session(text, uuid, uuid, uuid) IS
    'Raises check_violation when a session given by the client is not of the row''s course or of the user''s organisations';

REVOKE ALL ON FUNCTION sessiondb.require_coherent_session(text, uuid, uuid, uuid) FROM PUBLIC;
