-- Fills the reference platform at the size that the settings bench.users, bench.orgs, bench.courses and
-- bench.submissions name. Every id follows from a number, so that a client that knows the numbers of a
-- student and of a course also knows the session: number of the organisation * 10000 + that of the course.
SET maintenance_work_mem = '512MB';

CREATE SCHEMA bench;

-- kind: 1 users, 2 organisations, 3 courses, 4 exercises, 5 active sessions, 6 other sessions.
-- The cast to text is what makes it immutable, and so a part of the statement that calls it: of a bigint,
-- || is stable, and a function of that kind is called anew each time, which costs as much as a look-up.
CREATE FUNCTION bench.id(kind integer, number bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ('00000000-0000-4000-8000-' || (kind * 100000000000 + number)::text)::uuid;

CREATE FUNCTION bench.size(name text) RETURNS bigint
LANGUAGE sql STABLE
RETURN pg_catalog.current_setting('bench.' || name)::bigint;

-- the number in such an id
CREATE FUNCTION bench.number(id uuid) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN pg_catalog.right(id::text, 11)::bigint;

-- Runs an INSERT while the table has no keys, and then makes them again: row by row, they take ten
-- times as long.
CREATE PROCEDURE bench.load(loaded regclass, statement text)
LANGUAGE plpgsql
AS $procedure$
DECLARE
    v_keys record;
BEGIN
    SELECT string_agg(format('DROP CONSTRAINT %I', k.conname), ', ') AS dropped,
           string_agg(format('ADD CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)), ', ') AS added
      INTO v_keys
      FROM pg_constraint AS k
     WHERE k.conrelid = loaded AND k.contype IN ('p', 'u', 'f');
    EXECUTE format('ALTER TABLE %s %s', loaded, v_keys.dropped);
    EXECUTE statement;
    EXECUTE format('ALTER TABLE %s %s', loaded, v_keys.added);
END
$procedure$;

-- the reference platform comes with a few rows for the guide's story
TRUNCATE users, orgs, courses CASCADE;

INSERT INTO users (id, email)
SELECT bench.id(1, n), 'student' || n || '@example.org' FROM generate_series(0, bench.size('users') - 1) AS n;

INSERT INTO orgs (id, name, slug)
SELECT bench.id(2, n), 'Organisation ' || n, 'org-' || n FROM generate_series(0, bench.size('orgs') - 1) AS n;

INSERT INTO courses (id, title)
SELECT bench.id(3, n), 'Course ' || n FROM generate_series(0, bench.size('courses') - 1) AS n;

-- 20 in each course; the course of an exercise is the rest when its number is divided by that of the courses
INSERT INTO exercises (id, course_id, title)
SELECT bench.id(4, n), bench.id(3, n % bench.size('courses')), 'Exercise ' || n
  FROM generate_series(0, bench.size('courses') * 20 - 1) AS n;

-- every student is in one organisation, every tenth in a second one, whose sessions are older
CALL bench.load('org_members', $$
INSERT INTO org_members (org_id, user_id)
SELECT bench.id(2, n % bench.size('orgs')), bench.id(1, n)
  FROM generate_series(0, bench.size('users') - 1) AS n
 UNION ALL
SELECT bench.id(2, n % bench.size('orgs') + 1), bench.id(1, n)
  FROM generate_series(0, bench.size('users') - 1, 10) AS n
 WHERE n % bench.size('orgs') < bench.size('orgs') - 1
$$);

-- in each organisation one active session of each course, and a newer one in another status; in the table they
-- lie as organisations make them over the years, those of one not side by side
INSERT INTO sessions (id, org_id, course_id, title, status, created_at)
SELECT bench.id(k.kind, o * 10000 + c), bench.id(2, o), bench.id(3, c), 'Session',
       CASE k.kind WHEN 5 THEN 'active' ELSE (ARRAY['draft', 'completed', 'cancelled'])[1 + (o + c) % 3] END,
       '2024-09-01'::timestamptz + k.kind * interval '1 year' - o * interval '1 minute'
  FROM (VALUES (5), (6)) AS k (kind)
 CROSS JOIN generate_series(0, bench.size('orgs') - 1) AS o
 CROSS JOIN generate_series(0, bench.size('courses') - 1) AS c
 ORDER BY pg_catalog.hashint8(o * 10000 + c);

-- student n is enrolled in courses n, n + 1 and n + 2, and submits there
CALL bench.load('enrollments', $$
INSERT INTO enrollments (user_id, course_id)
SELECT bench.id(1, n), bench.id(3, (n + k) % bench.size('courses'))
  FROM generate_series(0, bench.size('users') - 1) AS n
 CROSS JOIN generate_series(0, 2) AS k
$$);

CALL bench.load('submissions', $$
INSERT INTO submissions (user_id, exercise_id, content)
SELECT bench.id(1, n % bench.size('users')),
       bench.id(4, (n % bench.size('users') + n / bench.size('users') % 3) % bench.size('courses')
                   + n % 20 * bench.size('courses')),
       'print("Hello, world")'
  FROM generate_series(0, bench.size('submissions') - 1) AS n
$$);

-- The indexes that platforms have on their foreign keys, unless a key begins with the column.
CREATE INDEX ON org_members (user_id);
CREATE INDEX ON sessions (org_id);
CREATE INDEX ON sessions (course_id);
CREATE INDEX ON exercises (course_id);
CREATE INDEX ON enrollments (course_id);
CREATE INDEX ON submissions (user_id);
CREATE INDEX ON submissions (exercise_id);

-- What is inserted in bulk: enrolments of students in a course that is new to them, submissions in one
-- that they are enrolled in; each with its session, for the client that knows it. The factor spreads
-- the students over the whole table, for it has no divisor in common with a round number of them.
CREATE TABLE bench.rows AS
SELECT r.n,
       bench.id(1, r.student) AS user_id,
       bench.id(3, r.new_course) AS new_course_id,
       bench.id(5, r.org * 10000 + r.new_course) AS new_session_id,
       bench.id(4, r.course + r.n % 20 * bench.size('courses')) AS exercise_id,
       bench.id(5, r.org * 10000 + r.course) AS session_id
  FROM (SELECT s.n, s.student,
               s.student % bench.size('orgs') AS org,
               (s.student + s.n % 3) % bench.size('courses') AS course,
               (s.student + 9) % bench.size('courses') AS new_course
          FROM (SELECT n, n * 7919 % bench.size('users') AS student
                  FROM generate_series(0, bench.size('bulk_rows') - 1) AS n) AS s) AS r;
