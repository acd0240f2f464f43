-- Locks: those named above each statement; the others take no further one on the platform's tables.
-- If the process dies: nothing was committed; run rollback again.

-- lock: ACCESS EXCLUSIVE on enrollments
CALL sessiondb.lock_tables('ACCESS EXCLUSIVE', 'enrollments');

-- lock: ACCESS EXCLUSIVE on enrollments
DROP TRIGGER IF EXISTS zzz_sessiondb_link_enrollment ON enrollments;
-- a session of a client is not taken any more, until the column goes
-- lock: ACCESS EXCLUSIVE on enrollments
CALL sessiondb.guard_links('enrollments');

-- lock where one was taken over: SHARE ROW EXCLUSIVE on enrollments
CALL sessiondb.restore_triggers('enrollments');

DELETE FROM sessiondb.objects WHERE kind = 'trigger' AND parent = 'enrollments';
