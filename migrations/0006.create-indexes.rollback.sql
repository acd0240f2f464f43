-- An index that was there before us stays. One on a partitioned table cannot be dropped concurrently:
-- that keeps readers and writers of all its partitions out, for a moment.
--
-- Locks: those named above each statement; the others take no further one on the platform's tables.
-- If the process dies: what was done stays; run rollback again.
--
-- transactional: false

-- run each statement that this returns
-- lock: SHARE UPDATE EXCLUSIVE on submissions
-- lock where it is partitioned: ACCESS EXCLUSIVE on submissions
SELECT sessiondb.drop_index_statements('submissions_session_id_idx', 'submissions');

-- run each statement that this returns
-- lock: SHARE UPDATE EXCLUSIVE on enrollments
-- lock where it is partitioned: ACCESS EXCLUSIVE on enrollments
SELECT sessiondb.drop_index_statements('enrollments_session_id_idx', 'enrollments');

-- run each statement that this returns
-- lock: SHARE UPDATE EXCLUSIVE on enrollments
-- lock where it is partitioned: ACCESS EXCLUSIVE on enrollments
SELECT sessiondb.drop_index_statements('enrollments_user_id_course_id_idx', 'enrollments');

-- run each statement that this returns
-- lock: SHARE UPDATE EXCLUSIVE on org_members
-- lock where org_members is partitioned: ACCESS EXCLUSIVE on org_members
SELECT sessiondb.drop_index_statements('org_members_user_id_org_id_idx', 'org_members');

-- run each statement that this returns
-- lock: SHARE UPDATE EXCLUSIVE on sessions
SELECT sessiondb.drop_index_statements('sessions_active_org_id_course_id_idx', 'sessions');

DELETE FROM sessiondb.objects WHERE kind = 'index';
