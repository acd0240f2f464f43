-- An index that was there before us stays.
--
-- If the process dies: what was done stays; run rollback again.
--
-- transactional: false

-- run each statement that this returns
-- lock: SHARE UPDATE EXCLUSIVE on submissions
SELECT sessiondb.drop_index_statements('submissions_session_id_idx', 'submissions');

-- run each statement that this returns
-- lock: SHARE UPDATE EXCLUSIVE on enrollments
SELECT sessiondb.drop_index_statements('enrollments_session_id_idx', 'enrollments');

-- run each statement that this returns
-- lock: SHARE UPDATE EXCLUSIVE on enrollments
SELECT sessiondb.drop_index_statements('enrollments_user_id_course_id_idx', 'enrollments');

-- run each statement that this returns
-- lock: SHARE UPDATE EXCLUSIVE on org_members
SELECT sessiondb.drop_index_statements('org_members_user_id_org_id_idx', 'org_members');

-- run each statement that this returns
-- lock: SHARE UPDATE EXCLUSIVE on sessions
SELECT sessiondb.drop_index_statements('sessions_active_org_id_course_id_idx', 'sessions');

DELETE FROM sessiondb.objects WHERE kind = 'index';
