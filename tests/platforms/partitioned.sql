-- A platform that has grown: the reference platform with its two big tables partitioned.
-- Special: submissions PARTITION BY RANGE (submitted_at), primary key (id, submitted_at), with a default
-- partition; enrollments PARTITION BY HASH (user_id), primary key (user_id, course_id), no id.
-- Course of a submission: submissions.exercise_id -> exercises.course_id

SET search_path = public;

CREATE TABLE users (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email text NOT NULL UNIQUE,
  full_name text
);

CREATE TABLE orgs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL,
  slug text NOT NULL UNIQUE,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE org_members (
  org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role text NOT NULL DEFAULT 'student',
  PRIMARY KEY (org_id, user_id)
);

CREATE TABLE courses (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  title text NOT NULL
);

CREATE TABLE exercises (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
  title text NOT NULL
);

CREATE TABLE sessions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
  title text NOT NULL,
  status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'active', 'completed', 'cancelled')),
  created_by uuid REFERENCES users (id) ON DELETE SET NULL,
  created_at timestamptz DEFAULT now(),
  starts_on date,
  ends_on date
);

CREATE TABLE enrollments (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
  status text NOT NULL DEFAULT 'enrolled',
  enrolled_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (user_id, course_id)
) PARTITION BY HASH (user_id);

CREATE TABLE enrollments_0 PARTITION OF enrollments FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE enrollments_1 PARTITION OF enrollments FOR VALUES WITH (MODULUS 2, REMAINDER 1);

CREATE TABLE submissions (
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  exercise_id uuid REFERENCES exercises (id) ON DELETE SET NULL,
  content text,
  submitted_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (id, submitted_at)
) PARTITION BY RANGE (submitted_at);

CREATE TABLE submissions_2023 PARTITION OF submissions
  FOR VALUES FROM ('2023-01-01 00:00+00') TO ('2024-01-01 00:00+00');
CREATE TABLE submissions_2024 PARTITION OF submissions
  FOR VALUES FROM ('2024-01-01 00:00+00') TO ('2025-01-01 00:00+00');
CREATE TABLE submissions_2025 PARTITION OF submissions
  FOR VALUES FROM ('2025-01-01 00:00+00') TO ('2026-01-01 00:00+00');
CREATE TABLE submissions_default PARTITION OF submissions DEFAULT;

-- Ada trains; Bruno is in one organisation, Chloe in two, Dmitri in none.
INSERT INTO users (id, email, full_name) VALUES
  ('00000000-0000-4000-8000-0000000000b1', 'ada@example.org', 'Ada Moreau'),
  ('00000000-0000-4000-8000-0000000000b2', 'bruno@example.org', 'Bruno Keller'),
  ('00000000-0000-4000-8000-0000000000b3', 'chloe@example.org', 'Chloe Martin'),
  ('00000000-0000-4000-8000-0000000000b4', 'dmitri@example.org', 'Dmitri Sokolov');

INSERT INTO orgs (id, name, slug) VALUES
  ('00000000-0000-4000-8000-0000000000a1', 'Atelier Nord', 'atelier-nord'),
  ('00000000-0000-4000-8000-0000000000a2', 'Campus Sud', 'campus-sud');

INSERT INTO org_members (org_id, user_id, role) VALUES
  ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000b1', 'trainer'),
  ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000b2', 'student'),
  ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000b3', 'student'),
  ('00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000000b3', 'student');

INSERT INTO courses (id, title) VALUES
  ('00000000-0000-4000-8000-0000000000c1', 'Python for beginners'),
  ('00000000-0000-4000-8000-0000000000c2', 'Data with SQL');

INSERT INTO exercises (id, course_id, title) VALUES
  ('00000000-0000-4000-8000-0000000000e1', '00000000-0000-4000-8000-0000000000c1', 'Hello, world'),
  ('00000000-0000-4000-8000-0000000000e2', '00000000-0000-4000-8000-0000000000c1', 'Loops'),
  ('00000000-0000-4000-8000-0000000000e3', '00000000-0000-4000-8000-0000000000c2', 'Your first join');

INSERT INTO sessions (id, org_id, course_id, title, status, created_by, created_at) VALUES
  ('00000000-0000-4000-8000-0000000000f1', '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000c1', 'Autumn 2024', 'active', '00000000-0000-4000-8000-0000000000b1', '2024-09-01 08:00+00'),
  ('00000000-0000-4000-8000-0000000000f2', '00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000000c1', 'Spring 2024', 'completed', '00000000-0000-4000-8000-0000000000b1', '2024-02-01 08:00+00');

INSERT INTO enrollments (user_id, course_id, status, enrolled_at) VALUES
  ('00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000c1', 'enrolled', '2024-09-02 09:00+00'),
  ('00000000-0000-4000-8000-0000000000b3', '00000000-0000-4000-8000-0000000000c1', 'completed', '2024-09-03 10:30+00'),
  ('00000000-0000-4000-8000-0000000000b4', '00000000-0000-4000-8000-0000000000c2', 'enrolled', '2024-09-04 18:45+00');

INSERT INTO submissions (id, user_id, exercise_id, content, submitted_at) VALUES
  ('00000000-0000-4000-8000-000000000021', '00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000e1', 'print("Hello, world")', '2023-12-31 23:59+00'),
  ('00000000-0000-4000-8000-000000000022', '00000000-0000-4000-8000-0000000000b3', '00000000-0000-4000-8000-0000000000e2', 'for i in range(3): print(i)', '2024-09-11 08:00+00'),
  ('00000000-0000-4000-8000-000000000023', '00000000-0000-4000-8000-0000000000b4', '00000000-0000-4000-8000-0000000000e3', 'SELECT 1', '2025-01-01 00:00+00'),
  ('00000000-0000-4000-8000-000000000024', '00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000e2', 'while True: pass', '2022-06-01 08:00+00');  -- the default partition

RESET search_path;
