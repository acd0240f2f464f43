CREATE OR REPLACE FUNCTION sessiondb.change_session_status(p_session_id uuid, p_status text)
RETURNS TABLE (id uuid, org_id uuid, course_id uuid, title text, status text, changed boolean)
LANGUAGE plpgsql
AS $function$
/*
 * Changes the status of the session; changed is false if it had the status already. Linked rows stay linked.
 */
#variable_conflict use_column
DECLARE
    v_status platform.sessions.status%TYPE := sessiondb.session_status(
        p_status, EXISTS (SELECT FROM platform.sessions AS s WHERE s.status::pg_catalog.text OPERATOR(pg_catalog.=) p_status));
    v_before pg_catalog.text;
BEGIN
    -- locked, so that of two at the same moment only one is told that it changed the status
    SELECT s.status::pg_catalog.text INTO v_before
      FROM platform.sessions AS s
     WHERE s.id OPERATOR(pg_catalog.=) p_session_id
       FOR NO KEY UPDATE;
    UPDATE platform.sessions AS s
       SET status = v_status
     WHERE s.id OPERATOR(pg_catalog.=) p_session_id
    RETURNING s.id, s.org_id, s.course_id, s.status::pg_catalog.text
         INTO id, org_id, course_id, status;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = pg_catalog.format('there is no session with the id %s', p_session_id),
            HINT = 'List them with: sessiondb session list';
    END IF;
    changed := COALESCE(status OPERATOR(pg_catalog.<>) v_before, true);
    -- by itself, for Citus; not s.title: where there is no such column, that would call a function title(sessions) of another role
    SELECT ({optional(s, title)}) INTO title FROM platform.sessions AS s WHERE s.id OPERATOR(pg_catalog.=) p_session_id;
    RETURN NEXT;
END
$function$
