-- As zzz_sessiondb_link_enrollment.
CREATE OR REPLACE TRIGGER zzz_sessiondb_link_submission
    BEFORE INSERT ON platform.submissions
    FOR EACH ROW
    WHEN (NEW.session_id IS NULL)
    EXECUTE FUNCTION sessiondb.link_submission()
