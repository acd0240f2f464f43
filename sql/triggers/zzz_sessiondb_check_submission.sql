-- As zzz_sessiondb_check_enrollment.
CREATE OR REPLACE TRIGGER zzz_sessiondb_check_submission
    BEFORE INSERT ON platform.submissions
    FOR EACH ROW
    WHEN (NEW.session_id IS NOT NULL)
    EXECUTE FUNCTION sessiondb.check_session('submissions')
