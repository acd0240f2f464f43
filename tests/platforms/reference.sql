-- The reference platform: a small learning platform in schema public, modelled on the guide.
-- Special: nothing, except that `sessions` is empty. That is the problem the guide starts from.
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
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
  status text NOT NULL DEFAULT 'enrolled',
  enrolled_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (user_id, course_id)
);

CREATE TABLE submissions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  exercise_id uuid REFERENCES exercises (id) ON DELETE SET NULL,
  content text,
  submitted_at timestamptz NOT NULL DEFAULT now()
);

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

INSERT INTO enrollments (id, user_id, course_id, status, enrolled_at) VALUES
  ('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000c1', 'enrolled', '2024-09-02 09:00+00'),
  ('00000000-0000-4000-8000-000000000012', '00000000-0000-4000-8000-0000000000b3', '00000000-0000-4000-8000-0000000000c1', 'completed', '2024-09-03 10:30+00'),
  ('00000000-0000-4000-8000-000000000013', '00000000-0000-4000-8000-0000000000b4', '00000000-0000-4000-8000-0000000000c2', 'enrolled', '2024-09-04 18:45+00');

INSERT INTO submissions (id, user_id, exercise_id, content, submitted_at) VALUES
  ('00000000-0000-4000-8000-000000000021', '00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000e1', 'print("Hello, world")', '2024-09-10 08:00+00'),
  ('00000000-0000-4000-8000-000000000022', '00000000-0000-4000-8000-0000000000b3', '00000000-0000-4000-8000-0000000000e2', 'for i in range(3): print(i)', '2024-09-11 08:00+00'),
  ('00000000-0000-4000-8000-000000000023', '00000000-0000-4000-8000-0000000000b4', '00000000-0000-4000-8000-0000000000e3', 'SELECT 1', '2024-09-12 08:00+00');

RESET search_path;
