-- The column submissions.session_id: nullable and without default, so that no row is touched. One that
-- exists is taken as it is.
--
-- Locks: those named above each statement; the others take no further one on the platform's tables.
-- If the process dies: nothing was committed; run apply again.
--
-- depends: 0003.add-enrollments-session_id

CALL sessiondb.claim('column', 'submissions', 'session_id');

-- lock: ACCESS EXCLUSIVE on submissions
CALL sessiondb.lock_tables('ACCESS EXCLUSIVE', 'submissions');

-- lock: ACCESS EXCLUSIVE on submissions
ALTER TABLE submissions ADD COLUMN IF NOT EXISTS session_id uuid;

-- lock: ACCESS EXCLUSIVE on submissions
CALL sessiondb.guard_links('submissions');

DO $comment$
BEGIN
    IF sessiondb.is_ours('column', 'submissions', 'session_id') THEN
        COMMENT ON COLUMN submissions.session_id IS 'The training session that the row belongs to, NULL if none (sessiondb)';
    END IF;
END
$comment$;

CALL sessiondb.record_definitions();
