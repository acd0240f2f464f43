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
        AND NOT sessiondb.is_saved_link('submissions', pg_catalog.to_jsonb(NEW))
    THEN
        PERFORM sessiondb.refuse_session('submissions', NEW.session_id);
    END IF;
    RETURN NEW;
END
$function$
