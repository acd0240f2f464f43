-- Saves the links before session_id is dropped: a trigger keeps those that are written from now on,
-- then the others are copied in short transactions.
--
-- Locks: those named above each statement; the others take no further one on the platform's tables.
-- If the process dies: what was saved stays; run rollback again.
--
-- transactional: false

-- lock: SHARE ROW EXCLUSIVE on enrollments
CALL sessiondb.prepare_saved_links('enrollments');

-- run each statement that this returns
-- lock: ACCESS SHARE on enrollments
SELECT sessiondb.save_links_statements('enrollments');

-- lock: SHARE ROW EXCLUSIVE on submissions
CALL sessiondb.prepare_saved_links('submissions');

-- run each statement that this returns
-- lock: ACCESS SHARE on submissions
SELECT sessiondb.save_links_statements('submissions');
