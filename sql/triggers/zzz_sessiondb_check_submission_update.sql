-- The same check for a row that is given another session. A trigger of its own, because only an UPDATE trigger can
-- compare with OLD: a client that writes all columns back unchanged pays nothing, and is not refused for a membership
-- that has ended since. zzz_: after the platform's triggers.
CREATE OR REPLACE TRIGGER zzz_sessiondb_check_submission_update
    BEFORE UPDATE OF session_id ON platform.submissions
    FOR EACH ROW
    WHEN (NEW.session_id IS NOT NULL AND (OLD.session_id IS NULL OR NEW.session_id OPERATOR(pg_catalog.<>) OLD.session_id))
    EXECUTE FUNCTION sessiondb.check_session('submissions')
