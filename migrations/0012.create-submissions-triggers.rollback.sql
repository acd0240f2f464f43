-- Locks: those named above each statement; the others take no further one on the platform's tables.
-- If the process dies: nothing was committed; run rollback again.

-- lock: ACCESS EXCLUSIVE on submissions
CALL sessiondb.lock_tables('ACCESS EXCLUSIVE', 'submissions');

-- lock: ACCESS EXCLUSIVE on submissions
DROP TRIGGER IF EXISTS zzz_sessiondb_link_submission ON submissions;
-- a session of a client is not taken any more, until the column goes
-- lock: ACCESS EXCLUSIVE on submissions
CALL sessiondb.guard_links('submissions');

-- lock where one was taken over: SHARE ROW EXCLUSIVE on submissions
CALL sessiondb.restore_triggers('submissions');

DELETE FROM sessiondb.objects WHERE kind = 'trigger' AND parent = 'submissions';
