-- Links a row that predates its session when it is written again, for instance by the UPDATE part of an upsert. A row that
-- has a session, or gets one, costs nothing; a row whose session the statement sets to NULL stays without one. zzz_: after
-- the platform's triggers.
CREATE OR REPLACE TRIGGER zzz_sessiondb_link_enrollment_update
    BEFORE UPDATE ON platform.enrollments
    FOR EACH ROW
    WHEN (OLD.session_id IS NULL AND NEW.session_id IS NULL)
    EXECUTE FUNCTION sessiondb.link_enrollment()
