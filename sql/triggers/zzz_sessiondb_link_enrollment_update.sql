-- A row that was written before there was a session is linked as a new one when it is written again, for instance by the
-- UPDATE half of an upsert. One that has a session, or is given one, pays nothing; one whose session is taken away by the
-- statement keeps none. zzz_: after the platform's triggers.
CREATE OR REPLACE TRIGGER zzz_sessiondb_link_enrollment_update
    BEFORE UPDATE ON platform.enrollments
    FOR EACH ROW
    WHEN (OLD.session_id IS NULL AND NEW.session_id IS NULL)
    EXECUTE FUNCTION sessiondb.link_enrollment()
