-- For each axis and size as many students as bench.growth_rows, each in one course, with the oldest session
-- that he may be in. Kinds 7 and 8 of bench.id() are the sessions and courses made here; users and
-- organisations are numbered on after those of the platform.
CREATE TABLE bench.growth (
    axis text NOT NULL, size integer NOT NULL,
    user_id uuid NOT NULL, course_id uuid NOT NULL, session_id uuid NOT NULL
);

-- numbers nothing else uses, one range of a million for each axis and size
CREATE TEMPORARY TABLE step AS
SELECT axis, size, row_number() OVER (ORDER BY axis, size) * 1000000 AS base
  FROM (VALUES ('active sessions', ARRAY[1, 10, 100, 1000, 10000, 100000]),
               ('completed sessions', ARRAY[1, 10, 100, 1000, 10000, 100000]),
               ('organisations of the user', ARRAY[1, 10, 100]),
               ('members of the organisation', ARRAY[10, 100, 1000, 10000, 100000, 1000000])) AS a (axis, sizes)
 CROSS JOIN unnest(a.sizes) AS size
 WHERE size <= bench.size('growth_max');

INSERT INTO courses (id, title) SELECT bench.id(8, base), 'Course' FROM step;
INSERT INTO exercises (id, course_id, title) SELECT bench.id(4, base), bench.id(8, base), 'Exercise' FROM step;
INSERT INTO orgs (id, name, slug)
SELECT bench.id(2, base + n), 'Organisation', 'growth-' || base + n
  FROM step CROSS JOIN generate_series(0, CASE axis WHEN 'organisations of the user' THEN size ELSE 1 END - 1) AS n;

INSERT INTO users (id, email)
SELECT bench.id(1, base + n), 'growth' || base + n || '@example.org'
  FROM step
 CROSS JOIN generate_series(0, CASE axis WHEN 'members of the organisation' THEN size ELSE bench.size('growth_rows') END - 1) AS n;

INSERT INTO org_members (org_id, user_id)
SELECT bench.id(2, base + o), bench.id(1, base + n)
  FROM step
 CROSS JOIN generate_series(0, CASE axis WHEN 'members of the organisation' THEN size ELSE bench.size('growth_rows') END - 1) AS n
 CROSS JOIN generate_series(0, CASE axis WHEN 'organisations of the user' THEN size ELSE 1 END - 1) AS o;

-- session 0 is active and the oldest, in the first organisation
INSERT INTO sessions (id, org_id, course_id, title, status, created_at)
SELECT bench.id(7, base + n),
       bench.id(2, base + CASE axis WHEN 'organisations of the user' THEN n ELSE 0 END),
       bench.id(8, base), 'Session',
       CASE WHEN n > 0 AND axis = 'completed sessions' THEN 'completed' ELSE 'active' END,
       '2024-09-01'::timestamptz + n * interval '1 second'
  FROM step
 CROSS JOIN generate_series(0, CASE axis WHEN 'members of the organisation' THEN 1 ELSE size END - 1) AS n;

-- where an organisation has fewer members than we need rows, they come in more than once, each time in
-- a course of its own that has one session
INSERT INTO courses (id, title)
SELECT bench.id(8, base + k), 'Course'
  FROM step CROSS JOIN generate_series(1, (bench.size('growth_rows') - 1) / size) AS k
 WHERE axis = 'members of the organisation';
INSERT INTO exercises (id, course_id, title)
SELECT bench.id(4, base + k), bench.id(8, base + k), 'Exercise'
  FROM step CROSS JOIN generate_series(1, (bench.size('growth_rows') - 1) / size) AS k
 WHERE axis = 'members of the organisation';
INSERT INTO sessions (id, org_id, course_id, title, status)
SELECT bench.id(7, base + k), bench.id(2, base), bench.id(8, base + k), 'Session', 'active'
  FROM step CROSS JOIN generate_series(1, (bench.size('growth_rows') - 1) / size) AS k
 WHERE axis = 'members of the organisation';

INSERT INTO bench.growth
SELECT axis, size,
       bench.id(1, base + CASE axis WHEN 'members of the organisation' THEN n % size ELSE n END),
       bench.id(8, base + CASE axis WHEN 'members of the organisation' THEN n / size ELSE 0 END),
       bench.id(7, base + CASE axis WHEN 'members of the organisation' THEN n / size ELSE 0 END)
  FROM step CROSS JOIN generate_series(0, bench.size('growth_rows') - 1) AS n;
