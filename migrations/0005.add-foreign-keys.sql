-- session_id of both tables refers to sessions; deleting a session sets it to NULL. Each statement
-- that sessiondb.foreign_key_statements() returns is run as a transaction of its own: the key is
-- added NOT VALID in a moment, then validated while everybody reads and writes. Before PostgreSQL 18 the
-- key of a partitioned table takes ACCESS EXCLUSIVE on sessions, for a moment.
--
-- Locks: those named above each statement; the others take no further one on the platform's tables.
-- If the process dies: what was done stays and is found done by the next apply.
--
-- depends: 0004.add-submissions-session_id
-- transactional: false

CALL sessiondb.claim('constraint', 'enrollments', 'enrollments_session_id_fkey');

-- run each statement that this returns
-- lock: SHARE ROW EXCLUSIVE on enrollments, sessions; then SHARE UPDATE EXCLUSIVE on enrollments, ROW SHARE on sessions
SELECT s.statement FROM sessiondb.foreign_key_statements('enrollments') AS s;

CALL sessiondb.claim('constraint', 'submissions', 'submissions_session_id_fkey');

-- run each statement that this returns
-- lock: SHARE ROW EXCLUSIVE on submissions, sessions; then SHARE UPDATE EXCLUSIVE on submissions, ROW SHARE on sessions
SELECT s.statement FROM sessiondb.foreign_key_statements('submissions') AS s;

CALL sessiondb.record_definitions();
