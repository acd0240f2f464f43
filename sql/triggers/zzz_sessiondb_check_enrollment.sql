-- A session that the client gives for a new row must fit it. The condition is in WHEN, so rows without a session cost
-- nothing. "check" sorts before "link", so a session that was just found is not checked again; zzz_ because BEFORE
-- triggers fire in the order of their names, and this one must see the user_id and the course that a trigger of the
-- platform may have set.
CREATE OR REPLACE TRIGGER zzz_sessiondb_check_enrollment
    BEFORE INSERT ON platform.enrollments
    FOR EACH ROW
    WHEN (NEW.session_id IS NOT NULL)
    EXECUTE FUNCTION sessiondb.check_session('enrollments')
