-- The column enrollments.session_id: nullable and without default, so that no row is touched. One that
-- exists is taken as it is.
--
-- Locks: those named above each statement; the others take no further one on the platform's tables.
-- If the process dies: nothing was committed; run apply again.
--
-- depends: 0002.create-migration-functions

CALL sessiondb.claim('column', 'enrollments', 'session_id');

-- lock: ACCESS EXCLUSIVE on enrollments
CALL sessiondb.lock_tables('ACCESS EXCLUSIVE', 'enrollments');

-- lock: ACCESS EXCLUSIVE on enrollments
ALTER TABLE enrollments ADD COLUMN IF NOT EXISTS session_id uuid;

-- lock: ACCESS EXCLUSIVE on enrollments
CALL sessiondb.guard_links('enrollments');

DO $comment$
BEGIN
    IF sessiondb.is_ours('column', 'enrollments', 'session_id') THEN
        COMMENT ON COLUMN enrollments.session_id IS 'The training session that the row belongs to, NULL if none (sessiondb)';
    END IF;
END
$comment$;

CALL sessiondb.record_definitions();
