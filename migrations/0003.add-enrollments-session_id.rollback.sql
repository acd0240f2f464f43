-- The links were saved by the rollback of 0007.restore-links. A column that was there before us stays.
--
-- Locks: those named above each statement; the others take no further one on the platform's tables.
-- If the process dies: nothing was committed; run rollback again.

-- lock: ACCESS EXCLUSIVE on enrollments
DO $rollback$
BEGIN
    IF sessiondb.is_ours('column', 'enrollments', 'session_id') THEN
        CALL sessiondb.lock_tables('ACCESS EXCLUSIVE', 'enrollments');
        DROP TRIGGER IF EXISTS zzz_sessiondb_save ON enrollments;
        DROP TRIGGER IF EXISTS zzz_sessiondb_check_enrollment_update ON enrollments;
        DROP TRIGGER IF EXISTS zzz_sessiondb_check_enrollment ON enrollments;
        ALTER TABLE enrollments DROP COLUMN IF EXISTS session_id;
    END IF;
END
$rollback$;

DELETE FROM sessiondb.objects WHERE kind = 'column' AND parent = 'enrollments';
