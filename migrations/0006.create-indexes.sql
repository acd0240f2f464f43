-- The indexes that the triggers, the foreign keys and the dashboard read. Each statement that
-- sessiondb.index_statements() returns is run by itself: DROP INDEX CONCURRENTLY of an invalid
-- remnant, CREATE INDEX CONCURRENTLY, and on a partitioned table the same for each partition. Where
-- an index that does the job exists, whatever its name, nothing is returned.
--
-- On a partitioned table there are two more locks, each for a moment: SHARE on the parent, for its own
-- index, and ACCESS EXCLUSIVE on the index of each partition, when it is attached.
--
-- Locks: those named above each statement; the others take no further one on the platform's tables.
-- If the process dies: an index that was being built is left invalid; the next apply drops it and
-- builds it again.
--
-- depends: 0005.add-foreign-keys
-- transactional: false

-- the newest active session of an organisation in a course
CALL sessiondb.claim('index', 'sessions', 'sessions_active_org_id_course_id_idx');

-- run each statement that this returns
-- lock: SHARE UPDATE EXCLUSIVE on sessions
SELECT s.statement FROM sessiondb.index_statements('sessions_active_org_id_course_id_idx', 'sessions', ARRAY['org_id, course_id, created_at DESC NULLS LAST, id DESC'], 'status = ''active''') AS s;

-- the organisations of a user
CALL sessiondb.claim('index', 'org_members', 'org_members_user_id_org_id_idx');

-- run each statement that this returns
-- lock: SHARE UPDATE EXCLUSIVE on org_members
SELECT s.statement FROM sessiondb.index_statements('org_members_user_id_org_id_idx', 'org_members', ARRAY['user_id, org_id'], NULL) AS s;

-- the student's enrolment in a course, for his submissions
CALL sessiondb.claim('index', 'enrollments', 'enrollments_user_id_course_id_idx');

-- run each statement that this returns
-- lock: SHARE UPDATE EXCLUSIVE on enrollments
SELECT s.statement FROM sessiondb.index_statements('enrollments_user_id_course_id_idx', 'enrollments', ARRAY['user_id, course_id', 'course_id, user_id'], NULL) AS s;

-- the enrolments of a session, for the dashboard and for deleting a session
CALL sessiondb.claim('index', 'enrollments', 'enrollments_session_id_idx');

-- run each statement that this returns
-- lock: SHARE UPDATE EXCLUSIVE on enrollments
SELECT s.statement FROM sessiondb.index_statements('enrollments_session_id_idx', 'enrollments', ARRAY['session_id'], 'session_id IS NOT NULL') AS s;

-- the submissions of a session, likewise
CALL sessiondb.claim('index', 'submissions', 'submissions_session_id_idx');

-- run each statement that this returns
-- lock: SHARE UPDATE EXCLUSIVE on submissions
SELECT s.statement FROM sessiondb.index_statements('submissions_session_id_idx', 'submissions', ARRAY['session_id'], 'session_id IS NOT NULL') AS s;

CALL sessiondb.record_definitions();
