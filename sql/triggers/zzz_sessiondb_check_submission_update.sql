-- As zzz_sessiondb_check_enrollment_update.
CREATE OR REPLACE TRIGGER zzz_sessiondb_check_submission_update
    BEFORE UPDATE ON platform.submissions
    FOR EACH ROW
    WHEN (NEW.session_id IS NOT NULL AND (OLD.session_id IS NULL OR NEW.session_id OPERATOR(pg_catalog.<>) OLD.session_id))
    EXECUTE FUNCTION sessiondb.check_session('submissions')
