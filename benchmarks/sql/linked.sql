-- All rows get the session that a backfill would give them, by rewriting the tables before sessiondb is there:
-- the active one in the student's first organisation, for those in his second one are older.
SET maintenance_work_mem = '512MB';

ALTER TABLE enrollments ADD COLUMN session_id uuid;
ALTER TABLE enrollments ALTER COLUMN session_id TYPE uuid
    USING bench.id(5, bench.number(user_id) % bench.size('orgs') * 10000 + bench.number(course_id));

ALTER TABLE submissions ADD COLUMN session_id uuid;
ALTER TABLE submissions ALTER COLUMN session_id TYPE uuid
    USING bench.id(5, bench.number(user_id) % bench.size('orgs') * 10000 + bench.number(exercise_id) % bench.size('courses'));
