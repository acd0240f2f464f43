-- From here on every new row of submissions links itself. A trigger of
-- the platform that does so too is taken over with --adopt, and refused without.
--
-- Locks: those named above each statement; the others take no further one on the platform's tables.
-- If the process dies: nothing was committed; run apply again.
--
-- depends: 0011.create-enrollments-triggers

CALL sessiondb.claim('trigger', 'submissions', 'zzz_sessiondb_check_submission');
CALL sessiondb.claim('trigger', 'submissions', 'zzz_sessiondb_check_submission_update');
CALL sessiondb.claim('trigger', 'submissions', 'zzz_sessiondb_link_submission');

-- lock where there is such a trigger: ACCESS EXCLUSIVE on submissions
CALL sessiondb.adopt_triggers('submissions');

-- lock: SHARE ROW EXCLUSIVE on submissions
CALL sessiondb.lock_tables('SHARE ROW EXCLUSIVE', 'submissions');

-- lock: SHARE ROW EXCLUSIVE on submissions
-- A session that the client gives for a new row must fit it. The condition is in WHEN, so that a row
-- without a session pays nothing. "check" sorts before "link", so that a session which we have just
-- found is not checked again; zzz_ because BEFORE triggers fire in the order of their names, and
-- ours must see the user_id and the course that a trigger of the platform may have filled in.
CREATE OR REPLACE TRIGGER zzz_sessiondb_check_submission
    BEFORE INSERT ON submissions
    FOR EACH ROW
    WHEN (NEW.session_id IS NOT NULL)
    EXECUTE FUNCTION sessiondb.check_submission();

COMMENT ON TRIGGER zzz_sessiondb_check_submission ON submissions IS
    'Refuses a session that does not fit the new row (sessiondb)';

-- lock: SHARE ROW EXCLUSIVE on submissions
-- The same check for a row that is given another session. A trigger of its own, because only an
-- UPDATE trigger can compare with OLD: a client that writes all columns back unchanged pays nothing,
-- and is not refused for a membership that has ended since. zzz_: after the platform's triggers.
CREATE OR REPLACE TRIGGER zzz_sessiondb_check_submission_update
    BEFORE UPDATE OF session_id ON submissions
    FOR EACH ROW
    WHEN (NEW.session_id IS NOT NULL AND NEW.session_id IS DISTINCT FROM OLD.session_id)
    EXECUTE FUNCTION sessiondb.check_submission();

COMMENT ON TRIGGER zzz_sessiondb_check_submission_update ON submissions IS
    'Refuses a change to a session that does not fit the row (sessiondb)';

-- lock: SHARE ROW EXCLUSIVE on submissions
-- Gives a new row without a session the one of its student in its course. zzz_ because BEFORE
-- triggers fire in the order of their names, and ours must see the user_id and the course that a
-- trigger of the platform may have filled in.
CREATE OR REPLACE TRIGGER zzz_sessiondb_link_submission
    BEFORE INSERT ON submissions
    FOR EACH ROW
    WHEN (NEW.session_id IS NULL)
    EXECUTE FUNCTION sessiondb.link_submission();

COMMENT ON TRIGGER zzz_sessiondb_link_submission ON submissions IS
    'Links a new row to the session of its student in its course (sessiondb)';

CALL sessiondb.record_definitions();
