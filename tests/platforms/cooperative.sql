-- A cooperative's platform, grown over years on a managed database by people who never write a schema's name.
-- Special: the database's own search_path; functions and citext of an extension in schema extensions; a history trigger,
-- a deferred trigger and event triggers that write to tables in schema history; policies, FORCE too, whose helpers read
-- tables; domains, one with a CHECK that reads a table; an expression index over an SQL function (before PostgreSQL 17,
-- which builds no such index any more). None of their code sets a search_path or names a schema. coop_app may read what
-- it must, and INSERT, SELECT and UPDATE its own enrollments and submissions. All belongs to coop_owner, no superuser.
-- Course of a submission: submissions.exercise_id (citext) -> exercises.course_id

DO $$
DECLARE
  role text;
BEGIN
  FOREACH role IN ARRAY ARRAY['coop_owner LOGIN', 'coop_app LOGIN'] LOOP
    BEGIN
      EXECUTE 'CREATE ROLE ' || role;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- roles are cluster wide
    END;
  END LOOP;
  EXECUTE format('GRANT CREATE ON DATABASE %I TO coop_owner', current_database());
  EXECUTE format('ALTER DATABASE %I SET search_path TO learn, extensions, history', current_database());
END $$;

CREATE SCHEMA extensions;
CREATE SCHEMA learn AUTHORIZATION coop_owner;
CREATE SCHEMA history AUTHORIZATION coop_owner;
GRANT USAGE ON SCHEMA extensions TO PUBLIC;
GRANT USAGE ON SCHEMA learn, history TO coop_app;

SET search_path = extensions;

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'citext') THEN
    CREATE EXTENSION citext SCHEMA extensions;
  ELSE
    CREATE DOMAIN citext AS text;
  END IF;
END $$;

CREATE FUNCTION digest_of(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT md5($1) $$;
CREATE FUNCTION short_code(text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN left(digest_of($1), 8); END $$;
CREATE FUNCTION unaccented(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT translate($1, 'éèêàç', 'eeeac') $$;

SET ROLE coop_owner;
SET search_path = learn, extensions, history;

CREATE TABLE history.row_history (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  fired text NOT NULL,
  path text NOT NULL DEFAULT current_setting('search_path'),
  role name NOT NULL DEFAULT current_user
);
CREATE TABLE history.late_history (LIKE history.row_history INCLUDING ALL);
CREATE TABLE history.ddl_log (LIKE history.row_history INCLUDING ALL);
GRANT INSERT ON history.row_history, history.late_history TO coop_app;

CREATE TABLE staff (
  role_name name PRIMARY KEY
);
INSERT INTO staff VALUES ('coop_owner');

CREATE TABLE roles (
  name text PRIMARY KEY
);
INSERT INTO roles VALUES ('trainer'), ('student'), ('admin');

CREATE DOMAIN person AS uuid;

CREATE FUNCTION known_role(p_name text) RETURNS boolean LANGUAGE sql STABLE
AS $$ SELECT p_name IS NULL OR EXISTS (SELECT FROM roles WHERE name = p_name) $$;

CREATE DOMAIN member_role AS text CHECK (known_role(VALUE));

CREATE FUNCTION is_tidy(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT unaccented($1) = $1 $$;

CREATE FUNCTION label_of(text) RETURNS text LANGUAGE sql IMMUTABLE AS $$ SELECT lower(unaccented($1)) $$;

CREATE TABLE users (
  id person PRIMARY KEY DEFAULT gen_random_uuid(),
  email citext NOT NULL UNIQUE,
  full_name text
);

CREATE TABLE orgs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL,
  slug citext NOT NULL UNIQUE,
  code text NOT NULL DEFAULT short_code(random()::text)
);

CREATE TABLE org_members (
  org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  user_id person NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role member_role NOT NULL DEFAULT 'student',
  code text NOT NULL DEFAULT short_code(random()::text),
  PRIMARY KEY (org_id, user_id)
);

CREATE TABLE courses (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  title text NOT NULL
);

CREATE TABLE exercises (
  id citext PRIMARY KEY DEFAULT 'Ex-' || short_code(random()::text),
  course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
  title text NOT NULL
);

CREATE TABLE sessions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
  title text NOT NULL,
  status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'active', 'completed', 'cancelled')),
  created_by person REFERENCES users (id) ON DELETE SET NULL,
  created_at timestamptz DEFAULT now(),
  stamp text
);

CREATE TABLE enrollments (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id person NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
  source text NOT NULL DEFAULT 'web' CHECK (is_tidy(source)),
  stamp text,
  UNIQUE (user_id, course_id)
);

CREATE TABLE submissions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id person NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  exercise_id citext REFERENCES exercises (id) ON DELETE SET NULL,
  content text CHECK (is_tidy(content)),
  stamp text
);

DO $$
BEGIN
  IF current_setting('server_version_num')::integer < 170000 THEN
    CREATE INDEX sessions_label_idx ON sessions (label_of(title));
  END IF;
END $$;

-- who asks, and what they may see

CREATE FUNCTION me() RETURNS person LANGUAGE sql STABLE
AS $$ SELECT nullif(current_setting('request.jwt.claim.sub', true), '')::person $$;

CREATE FUNCTION is_staff() RETURNS boolean LANGUAGE sql STABLE
AS $$ SELECT EXISTS (SELECT FROM staff WHERE role_name = current_user) $$;

CREATE FUNCTION my_orgs() RETURNS SETOF uuid LANGUAGE sql STABLE
AS $$ SELECT org_id FROM org_members WHERE user_id = me() $$;

ALTER TABLE org_members ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE enrollments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE submissions ENABLE ROW LEVEL SECURITY;

CREATE POLICY own_memberships ON org_members USING (is_staff() OR user_id = me());
CREATE POLICY sessions_of_my_orgs ON sessions USING (is_staff() OR org_id IN (SELECT my_orgs()));
CREATE POLICY own_enrollments ON enrollments USING (is_staff() OR user_id = me());
CREATE POLICY own_submissions ON submissions USING (is_staff() OR user_id = me());

GRANT SELECT ON staff, roles, courses, exercises, org_members, sessions TO coop_app;
GRANT SELECT, INSERT, UPDATE ON enrollments, submissions TO coop_app;

-- what is fired

CREATE FUNCTION stamp_row() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN NEW.stamp := short_code(NEW.id::text); RETURN NEW; END $$;

CREATE FUNCTION keep_history() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN INSERT INTO row_history (fired) VALUES (TG_OP || ' ' || TG_TABLE_NAME); RETURN NULL; END $$;

CREATE FUNCTION keep_late_history() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN INSERT INTO late_history (fired) VALUES (TG_OP || ' ' || TG_TABLE_NAME); RETURN NULL; END $$;

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['orgs', 'org_members', 'sessions', 'enrollments', 'submissions'] LOOP
    EXECUTE format('CREATE TRIGGER history AFTER INSERT OR UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION keep_history()', name);
    EXECUTE format('CREATE CONSTRAINT TRIGGER late_history AFTER INSERT OR UPDATE ON %I DEFERRABLE INITIALLY DEFERRED FOR EACH ROW'
                   ' EXECUTE FUNCTION keep_late_history()', name);
  END LOOP;
  FOREACH name IN ARRAY ARRAY['sessions', 'enrollments', 'submissions'] LOOP
    EXECUTE format('CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON %I FOR EACH ROW EXECUTE FUNCTION stamp_row()', name);
  END LOOP;
END $$;

INSERT INTO users (id, email, full_name) VALUES
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

INSERT INTO exercises (id, course_id, title) VALUES
  ('Hello', '00000000-0000-4000-8000-0000000000c1', 'Hello, world'),
  ('Loops', '00000000-0000-4000-8000-0000000000c1', 'Loops'),
  ('Join-1', '00000000-0000-4000-8000-0000000000c2', 'Your first join');

INSERT INTO sessions (id, org_id, course_id, title, status, created_by, created_at) VALUES
  ('00000000-0000-4000-8000-0000000000f1', '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000c1', 'Été 2024', 'active', '00000000-0000-4000-8000-0000000000b1', '2024-09-01 08:00+00'),
  ('00000000-0000-4000-8000-0000000000f2', '00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000000c1', 'Spring 2024', 'completed', '00000000-0000-4000-8000-0000000000b1', '2024-02-01 08:00+00');

INSERT INTO enrollments (id, user_id, course_id) VALUES
  ('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000c1'),
  ('00000000-0000-4000-8000-000000000012', '00000000-0000-4000-8000-0000000000b3', '00000000-0000-4000-8000-0000000000c1'),
  ('00000000-0000-4000-8000-000000000013', '00000000-0000-4000-8000-0000000000b4', '00000000-0000-4000-8000-0000000000c2');

INSERT INTO submissions (id, user_id, exercise_id, content) VALUES
  ('00000000-0000-4000-8000-000000000021', '00000000-0000-4000-8000-0000000000b2', 'Hello', 'print("Hello, world")'),
  ('00000000-0000-4000-8000-000000000022', '00000000-0000-4000-8000-0000000000b3', 'Loops', 'for i in range(3): print(i)'),
  ('00000000-0000-4000-8000-000000000023', '00000000-0000-4000-8000-0000000000b4', 'Join-1', 'SELECT 1');

SET CONSTRAINTS ALL IMMEDIATE;  -- this file is one transaction
RESET ROLE;

CREATE FUNCTION history.log_ddl() RETURNS event_trigger LANGUAGE plpgsql
AS $$ BEGIN INSERT INTO ddl_log (fired) VALUES (TG_EVENT || ' ' || TG_TAG); END $$;

CREATE EVENT TRIGGER log_end ON ddl_command_end EXECUTE FUNCTION history.log_ddl();
CREATE EVENT TRIGGER log_drop ON sql_drop EXECUTE FUNCTION history.log_ddl();

RESET search_path;
