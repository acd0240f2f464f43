-- A school's own application, modelled on an ORM that keeps its camelCase names: everything in schema campus.
-- Special: not in public, where a web framework keeps its own table `sessions`; capitals in column names;
-- sessions.status is an enum; varchar; campus_app may only INSERT and SELECT enrollments and submissions.
-- Tables and schema belong to campus_owner, who is no superuser.
-- Course of a submission: submissions.course_id

DO $$
DECLARE
  role text;
BEGIN
  FOREACH role IN ARRAY ARRAY['campus_owner LOGIN', 'campus_app LOGIN'] LOOP
    BEGIN
      EXECUTE 'CREATE ROLE ' || role;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- roles are cluster wide
    END;
  END LOOP;
  EXECUTE format('GRANT CREATE ON DATABASE %I TO campus_owner', current_database());
END $$;

CREATE TABLE public.sessions (  -- logins, nothing to do with training
  sid varchar(64) PRIMARY KEY,
  sess json NOT NULL,
  expire timestamp NOT NULL
);

CREATE SCHEMA campus AUTHORIZATION campus_owner;
SET ROLE campus_owner;
SET search_path = campus;

CREATE TYPE session_status AS ENUM ('draft', 'active', 'completed');

CREATE TABLE users (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email varchar(254) NOT NULL UNIQUE,
  "fullName" varchar(120)
);

CREATE TABLE orgs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name varchar(120) NOT NULL,
  slug varchar(60) NOT NULL UNIQUE,
  "createdAt" timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE org_members (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role varchar(20) NOT NULL DEFAULT 'student',
  UNIQUE (user_id, org_id)
);

CREATE TABLE courses (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  title varchar(200) NOT NULL
);

CREATE TABLE sessions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
  title varchar(200) NOT NULL,
  status session_status NOT NULL DEFAULT 'draft',
  created_by uuid REFERENCES users (id) ON DELETE SET NULL,
  created_at timestamptz DEFAULT now(),
  "startsOn" date,
  "endsOn" date
);

CREATE TABLE enrollments (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
  status varchar(20) NOT NULL DEFAULT 'enrolled',
  "enrolledAt" timestamptz NOT NULL DEFAULT now(),
  UNIQUE (user_id, course_id)
);

CREATE TABLE submissions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  course_id uuid REFERENCES courses (id) ON DELETE SET NULL,
  content text,
  "submittedAt" timestamptz NOT NULL DEFAULT now()
);

GRANT USAGE ON SCHEMA campus TO campus_app;
GRANT SELECT, INSERT ON enrollments, submissions TO campus_app;

INSERT INTO users (id, email, "fullName") VALUES
  ('00000000-0000-4000-8000-0000000000b1', 'ada@example.org', 'Ada Moreau'),
  ('00000000-0000-4000-8000-0000000000b2', 'bruno@example.org', 'Bruno Keller'),
  ('00000000-0000-4000-8000-0000000000b3', 'chloe@example.org', 'Chloe Martin'),
  ('00000000-0000-4000-8000-0000000000b4', 'dmitri@example.org', NULL);

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

INSERT INTO sessions (id, org_id, course_id, title, status, created_by, created_at, "startsOn", "endsOn") VALUES
  ('00000000-0000-4000-8000-0000000000f1', '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000c1', 'Autumn 2024', 'active', '00000000-0000-4000-8000-0000000000b1', '2024-09-01 08:00+00', '2024-09-15', '2024-12-15'),
  ('00000000-0000-4000-8000-0000000000f2', '00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000000c1', 'Spring 2024', 'completed', '00000000-0000-4000-8000-0000000000b1', '2024-02-01 08:00+00', NULL, NULL);

INSERT INTO enrollments (id, user_id, course_id, "enrolledAt") VALUES
  ('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000c1', '2024-09-02 09:00+00'),
  ('00000000-0000-4000-8000-000000000012', '00000000-0000-4000-8000-0000000000b3', '00000000-0000-4000-8000-0000000000c1', '2024-09-03 10:30+00'),
  ('00000000-0000-4000-8000-000000000013', '00000000-0000-4000-8000-0000000000b4', '00000000-0000-4000-8000-0000000000c2', '2024-09-04 18:45+00');

INSERT INTO submissions (id, user_id, course_id, content, "submittedAt") VALUES
  ('00000000-0000-4000-8000-000000000021', '00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000c1', 'print("Hello, world")', '2024-09-10 08:00+00'),
  ('00000000-0000-4000-8000-000000000022', '00000000-0000-4000-8000-0000000000b3', '00000000-0000-4000-8000-0000000000c1', 'for i in range(3): print(i)', '2024-09-11 08:00+00'),
  ('00000000-0000-4000-8000-000000000023', '00000000-0000-4000-8000-0000000000b4', NULL, 'An essay of no course', '2024-09-12 08:00+00');

RESET search_path;
RESET ROLE;
