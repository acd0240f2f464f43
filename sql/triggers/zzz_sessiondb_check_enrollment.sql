-- A session that the client gives for a new row must fit it. The condition is in WHEN, so that a row without a session
-- pays nothing. "check" sorts before "link", so that a session which we have just found is not checked again; zzz_
-- because BEFORE triggers fire in the order of their names, and ours must see the user_id and the course that a trigger
-- of the platform may have filled in.
CREATE OR REPLACE TRIGGER zzz_sessiondb_check_enrollment
    BEFORE INSERT ON platform.enrollments
    FOR EACH ROW
    WHEN (NEW.session_id IS NOT NULL)
    EXECUTE FUNCTION sessiondb.check_session('enrollments')
