-- As zzz_sessiondb_link_enrollment_update.
CREATE OR REPLACE TRIGGER zzz_sessiondb_link_submission_update
    BEFORE UPDATE ON platform.submissions
    FOR EACH ROW
    WHEN (OLD.session_id IS NULL AND NEW.session_id IS NULL)
    EXECUTE FUNCTION sessiondb.link_submission()
