-- A foreign key that was there before us stays.
--
-- Locks: those named above each statement; the others take no further one on the platform's tables.
-- If the process dies: what was done stays; run rollback again.
--
-- transactional: false

-- lock: ACCESS EXCLUSIVE on submissions, sessions
DO $rollback$
BEGIN
    IF sessiondb.is_ours('constraint', 'submissions', 'submissions_session_id_fkey') THEN
        CALL sessiondb.lock_tables('ACCESS EXCLUSIVE', 'submissions', 'sessions');
        ALTER TABLE submissions DROP CONSTRAINT IF EXISTS submissions_session_id_fkey;
    END IF;
END
$rollback$;

-- lock: ACCESS EXCLUSIVE on enrollments, sessions
DO $rollback$
BEGIN
    IF sessiondb.is_ours('constraint', 'enrollments', 'enrollments_session_id_fkey') THEN
        CALL sessiondb.lock_tables('ACCESS EXCLUSIVE', 'enrollments', 'sessions');
        ALTER TABLE enrollments DROP CONSTRAINT IF EXISTS enrollments_session_id_fkey;
    END IF;
END
$rollback$;

DELETE FROM sessiondb.objects WHERE kind = 'constraint';
