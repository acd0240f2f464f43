-- The same check for a row whose session is changed. A separate trigger, because only an UPDATE trigger can compare with
-- OLD: writing all columns back unchanged costs nothing, and is not refused because a membership has ended since. Not only
-- of a statement that sets session_id: a trigger of the platform may write it. zzz_: after the platform's triggers.
CREATE OR REPLACE TRIGGER zzz_sessiondb_check_enrollment_update
    BEFORE UPDATE ON platform.enrollments
    FOR EACH ROW
    WHEN (NEW.session_id IS NOT NULL AND (OLD.session_id IS NULL OR NEW.session_id OPERATOR(pg_catalog.<>) OLD.session_id))
    EXECUTE FUNCTION sessiondb.check_session('enrollments')
