-- Links a new row without a session to that of its student in its course. zzz_ because BEFORE triggers fire in the order
-- of their names, and this one must see the user_id and the course that a trigger of the platform may have set.
CREATE OR REPLACE TRIGGER zzz_sessiondb_link_enrollment
    BEFORE INSERT ON platform.enrollments
    FOR EACH ROW
    WHEN (NEW.session_id IS NULL)
    EXECUTE FUNCTION sessiondb.link_enrollment()
