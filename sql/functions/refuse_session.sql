CREATE OR REPLACE FUNCTION sessiondb.refuse_session(p_table text, p_session_id uuid)
RETURNS void
LANGUAGE plpgsql
STABLE
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
$function$
