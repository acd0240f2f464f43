-- A platform drawn in a spreadsheet-like tool that lets people name things as they like.
-- Special: schema, tables and columns on the course path hold every character that naive quoting trips over:
-- quotes, dots, spaces, capitals, semicolons, percent signs, dollars, braces, letters that are not ASCII.
-- Course of a submission: submissions."Exercise.Id" -> "Exercises; ""drop"" $$ it's. Été 100%"."Cours ""Id""; 1.É 100%"

SET client_encoding = 'UTF8';

CREATE SCHEMA "We ""love""; dots. Été 100%";
SET search_path = "We ""love""; dots. Été 100%";

CREATE TABLE users (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email text NOT NULL UNIQUE,
  "Full ""Name""" text
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

CREATE TABLE "Exercises; ""drop"" $$ it's. Été 100%" (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  "Cours ""Id""; 1.É 100%" uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
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
  "Début" date,
  "Fin; " date
);

CREATE TABLE enrollments (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
  status text NOT NULL DEFAULT 'enrolled',
  "Étape %s; {0}" text NOT NULL DEFAULT '1; 2%',
  "Enrolled.At" timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT "one per ""student""; 100%" UNIQUE (user_id, course_id)
);

CREATE TABLE submissions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  "Exercise.Id" uuid REFERENCES "Exercises; ""drop"" $$ it's. Été 100%" (id) ON DELETE SET NULL,
  "Réponse -- 100%" text,
  "Submitted At" timestamptz NOT NULL DEFAULT now()
);

-- Ada trains; Bruno is in one organisation, Chloé in two, Dmitri in none.
INSERT INTO users (id, email, "Full ""Name""") VALUES
  ('00000000-0000-4000-8000-0000000000b1', 'ada@example.org', 'Ada Moreau'),
  ('00000000-0000-4000-8000-0000000000b2', 'bruno@example.org', 'Bruno Keller'),
  ('00000000-0000-4000-8000-0000000000b3', 'chloe@example.org', 'Chloé Martin'),
  ('00000000-0000-4000-8000-0000000000b4', 'dmitri@example.org', 'Dmitri Sokolov');

INSERT INTO orgs (id, name, slug) VALUES
  ('00000000-0000-4000-8000-0000000000a1', 'L''Atelier "Nord"; 100%', 'atelier-nord'),
  ('00000000-0000-4000-8000-0000000000a2', 'Campus Sud', 'campus-sud');

INSERT INTO org_members (org_id, user_id, role) VALUES
  ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000b1', 'trainer'),
  ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000b2', 'student'),
  ('00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000b3', 'student'),
  ('00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000000b3', 'student');

INSERT INTO courses (id, title) VALUES
  ('00000000-0000-4000-8000-0000000000c1', 'Python for beginners'),
  ('00000000-0000-4000-8000-0000000000c2', 'Data with SQL');

INSERT INTO "Exercises; ""drop"" $$ it's. Été 100%" (id, "Cours ""Id""; 1.É 100%", title) VALUES
  ('00000000-0000-4000-8000-0000000000e1', '00000000-0000-4000-8000-0000000000c1', 'Hello, world'),
  ('00000000-0000-4000-8000-0000000000e2', '00000000-0000-4000-8000-0000000000c1', 'Loops'),
  ('00000000-0000-4000-8000-0000000000e3', '00000000-0000-4000-8000-0000000000c2', 'Your first join');

INSERT INTO sessions (id, org_id, course_id, title, status, created_by, created_at) VALUES
  ('00000000-0000-4000-8000-0000000000f1', '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000c1', 'Autumn 2024', 'active', '00000000-0000-4000-8000-0000000000b1', '2024-09-01 08:00+00'),
  ('00000000-0000-4000-8000-0000000000f2', '00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000000c1', 'Spring 2024', 'completed', '00000000-0000-4000-8000-0000000000b1', '2024-02-01 08:00+00');

INSERT INTO enrollments (id, user_id, course_id, status, "Enrolled.At") VALUES
  ('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000c1', 'enrolled', '2024-09-02 09:00+00'),
  ('00000000-0000-4000-8000-000000000012', '00000000-0000-4000-8000-0000000000b3', '00000000-0000-4000-8000-0000000000c1', 'completed', '2024-09-03 10:30+00'),
  ('00000000-0000-4000-8000-000000000013', '00000000-0000-4000-8000-0000000000b4', '00000000-0000-4000-8000-0000000000c2', 'enrolled', '2024-09-04 18:45+00');

INSERT INTO submissions (id, user_id, "Exercise.Id", "Réponse -- 100%", "Submitted At") VALUES
  ('00000000-0000-4000-8000-000000000021', '00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000e1', 'print("Hello, world")', '2023-12-31 23:59+00'),
  ('00000000-0000-4000-8000-000000000022', '00000000-0000-4000-8000-0000000000b3', '00000000-0000-4000-8000-0000000000e2', 'for i in range(3): print(i)', '2024-09-11 08:00+00'),
  ('00000000-0000-4000-8000-000000000023', '00000000-0000-4000-8000-0000000000b4', '00000000-0000-4000-8000-0000000000e3', 'SELECT 1', '2025-01-01 00:00+00'),
  ('00000000-0000-4000-8000-000000000024', '00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000e2', 'while True: pass', '2022-06-01 08:00+00');

RESET search_path;
