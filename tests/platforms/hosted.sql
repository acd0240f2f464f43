-- A hosted backend, modelled on Supabase: users live in schema auth, clients talk to public through an API.
-- Special: row level security on every table; `authenticated` inserts and reads its own enrollments and
-- submissions and cannot read org_members or sessions at all (no policy, no grant); a trigger fills
-- submissions.user_id; a purchase enrols its buyer; updated_at triggers; NOT NULL columns we know nothing of;
-- UNIQUE (user_id, item_id). Tables and schema public belong to hosted_owner, who is no superuser.
-- Course of a submission: submissions.item_id -> items.module_id -> modules.course_id

DO $$
DECLARE
  role text;
BEGIN
  FOREACH role IN ARRAY ARRAY['hosted_owner LOGIN', 'anon', 'authenticated', 'service_role BYPASSRLS'] LOOP
    BEGIN
      EXECUTE 'CREATE ROLE ' || role;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- roles are cluster wide
    END;
  END LOOP;
  EXECUTE format('GRANT CREATE ON DATABASE %I TO hosted_owner', current_database());
END $$;

-- What the platform provides, not the owner's.
CREATE SCHEMA auth;

CREATE TABLE auth.users (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  email text NOT NULL UNIQUE,
  raw_user_meta_data jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY;

CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE
AS $$ SELECT nullif(current_setting('request.jwt.claim.sub', true), '')::uuid $$;

GRANT USAGE ON SCHEMA auth TO hosted_owner, anon, authenticated, service_role;
GRANT SELECT, REFERENCES ON auth.users TO hosted_owner;

ALTER SCHEMA public OWNER TO hosted_owner;
GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role;

-- What the owner built.
SET ROLE hosted_owner;
SET search_path = public;

ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO service_role;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO anon, authenticated, service_role;

CREATE TABLE profiles (
  id uuid PRIMARY KEY REFERENCES auth.users (id) ON DELETE CASCADE,
  full_name text,
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE orgs (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  name text NOT NULL,
  slug text NOT NULL UNIQUE,
  plan text NOT NULL DEFAULT 'free',
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE org_members (
  org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  role text NOT NULL DEFAULT 'student' CHECK (role IN ('owner', 'admin', 'trainer', 'student')),
  joined_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (org_id, user_id)
);

CREATE TABLE courses (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  title text NOT NULL,
  is_published boolean NOT NULL DEFAULT true,
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE modules (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
  title text NOT NULL,
  position integer NOT NULL DEFAULT 0
);

CREATE TABLE items (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  module_id uuid REFERENCES modules (id) ON DELETE SET NULL,  -- NULL: in the library, in no course yet
  kind text NOT NULL,
  payload jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE sessions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  org_id uuid NOT NULL REFERENCES orgs (id) ON DELETE CASCADE,
  course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
  title text NOT NULL,
  status text NOT NULL DEFAULT 'draft'
    CHECK (status IN ('draft', 'scheduled', 'active', 'completed', 'cancelled')),
  created_by uuid REFERENCES auth.users (id) ON DELETE SET NULL,
  settings jsonb NOT NULL DEFAULT '{}',
  created_at timestamptz DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE enrollments (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  course_id uuid NOT NULL REFERENCES courses (id) ON DELETE CASCADE,
  source text NOT NULL,
  status text NOT NULL DEFAULT 'active',
  progress numeric(5, 2) NOT NULL DEFAULT 0,
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (user_id, course_id)
);

CREATE TABLE submissions (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  item_id uuid REFERENCES items (id) ON DELETE CASCADE,
  answer jsonb NOT NULL,
  score numeric(5, 2),
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (user_id, item_id)
);

CREATE TABLE purchases (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
  course_id uuid NOT NULL REFERENCES courses (id) ON DELETE RESTRICT,
  amount_cents integer NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;

CREATE FUNCTION set_user_id() RETURNS trigger LANGUAGE plpgsql
AS $$ BEGIN NEW.user_id := coalesce(NEW.user_id, auth.uid()); RETURN NEW; END $$;

CREATE FUNCTION handle_new_user() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
  INSERT INTO public.profiles (id, full_name) VALUES (NEW.id, NEW.raw_user_meta_data ->> 'full_name');
  RETURN NEW;
END $$;

CREATE FUNCTION handle_new_purchase() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
AS $$
BEGIN
  INSERT INTO public.enrollments (user_id, course_id, source) VALUES (NEW.user_id, NEW.course_id, 'purchase')
  ON CONFLICT (user_id, course_id) DO NOTHING;
  RETURN NEW;
END $$;

CREATE TRIGGER set_updated_at BEFORE UPDATE ON profiles FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON courses FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON enrollments FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER set_updated_at BEFORE UPDATE ON submissions FOR EACH ROW EXECUTE FUNCTION set_updated_at();
CREATE TRIGGER trg_submissions_set_user_id BEFORE INSERT ON submissions
  FOR EACH ROW EXECUTE FUNCTION set_user_id();
CREATE TRIGGER on_purchase_created AFTER INSERT ON purchases
  FOR EACH ROW EXECUTE FUNCTION handle_new_purchase();

ALTER TABLE profiles ENABLE ROW LEVEL SECURITY;
ALTER TABLE orgs ENABLE ROW LEVEL SECURITY;
ALTER TABLE org_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE courses ENABLE ROW LEVEL SECURITY;
ALTER TABLE modules ENABLE ROW LEVEL SECURITY;
ALTER TABLE items ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE enrollments ENABLE ROW LEVEL SECURITY;
ALTER TABLE submissions ENABLE ROW LEVEL SECURITY;
ALTER TABLE purchases ENABLE ROW LEVEL SECURITY;

-- orgs, org_members and sessions have no policy: only service_role and the owner get at them.
CREATE POLICY "Own profile" ON profiles FOR SELECT TO authenticated USING (id = (SELECT auth.uid()));
CREATE POLICY "Published courses" ON courses FOR SELECT TO anon, authenticated USING (is_published);
CREATE POLICY "Modules are public" ON modules FOR SELECT TO anon, authenticated USING (true);
CREATE POLICY "Items are for students" ON items FOR SELECT TO authenticated USING (true);
CREATE POLICY "Read own enrollments" ON enrollments FOR SELECT TO authenticated
  USING (user_id = (SELECT auth.uid()));
CREATE POLICY "Enrol oneself" ON enrollments FOR INSERT TO authenticated
  WITH CHECK (user_id = (SELECT auth.uid()));
CREATE POLICY "Read own submissions" ON submissions FOR SELECT TO authenticated
  USING (user_id = (SELECT auth.uid()));
CREATE POLICY "Submit for oneself" ON submissions FOR INSERT TO authenticated
  WITH CHECK (user_id = (SELECT auth.uid()));
CREATE POLICY "Read own purchases" ON purchases FOR SELECT TO authenticated
  USING (user_id = (SELECT auth.uid()));

GRANT SELECT ON courses, modules TO anon, authenticated;
GRANT SELECT ON profiles, items, purchases TO authenticated;
GRANT SELECT, INSERT ON enrollments, submissions TO authenticated;

RESET ROLE;

CREATE TRIGGER on_auth_user_created AFTER INSERT ON auth.users
  FOR EACH ROW EXECUTE FUNCTION public.handle_new_user();

INSERT INTO auth.users (id, email, raw_user_meta_data) VALUES
  ('00000000-0000-4000-8000-0000000000b1', 'ada@example.org', '{"full_name": "Ada Moreau"}'),
  ('00000000-0000-4000-8000-0000000000b2', 'bruno@example.org', '{"full_name": "Bruno Keller"}'),
  ('00000000-0000-4000-8000-0000000000b3', 'chloe@example.org', '{"full_name": "Chloe Martin"}'),
  ('00000000-0000-4000-8000-0000000000b4', 'dmitri@example.org', '{}');

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

INSERT INTO modules (id, course_id, title, position) VALUES
  ('00000000-0000-4000-8000-0000000000d1', '00000000-0000-4000-8000-0000000000c1', 'Basics', 1),
  ('00000000-0000-4000-8000-0000000000d2', '00000000-0000-4000-8000-0000000000c2', 'Joins', 1);

INSERT INTO items (id, module_id, kind, payload) VALUES
  ('00000000-0000-4000-8000-0000000000e1', '00000000-0000-4000-8000-0000000000d1', 'quiz', '{"questions": 3}'),
  ('00000000-0000-4000-8000-0000000000e2', '00000000-0000-4000-8000-0000000000d1', 'code', '{}'),
  ('00000000-0000-4000-8000-0000000000e3', '00000000-0000-4000-8000-0000000000d2', 'code', '{}'),
  ('00000000-0000-4000-8000-0000000000e4', NULL, 'quiz', '{"questions": 1}');

INSERT INTO sessions (id, org_id, course_id, title, status, created_by, created_at) VALUES
  ('00000000-0000-4000-8000-0000000000f1', '00000000-0000-4000-8000-0000000000a1', '00000000-0000-4000-8000-0000000000c1', 'Autumn 2024', 'active', '00000000-0000-4000-8000-0000000000b1', '2024-09-01 08:00+00'),
  ('00000000-0000-4000-8000-0000000000f2', '00000000-0000-4000-8000-0000000000a2', '00000000-0000-4000-8000-0000000000c1', 'Spring 2024', 'completed', '00000000-0000-4000-8000-0000000000b1', '2024-02-01 08:00+00');

INSERT INTO enrollments (id, user_id, course_id, source, created_at) VALUES
  ('00000000-0000-4000-8000-000000000011', '00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000c1', 'web', '2024-09-02 09:00+00'),
  ('00000000-0000-4000-8000-000000000012', '00000000-0000-4000-8000-0000000000b4', '00000000-0000-4000-8000-0000000000c2', 'import', '2024-09-04 18:45+00');

INSERT INTO purchases (id, user_id, course_id, amount_cents) VALUES  -- enrols Chloe
  ('00000000-0000-4000-8000-000000000031', '00000000-0000-4000-8000-0000000000b3', '00000000-0000-4000-8000-0000000000c1', 4900);

INSERT INTO submissions (id, user_id, item_id, answer, score) VALUES
  ('00000000-0000-4000-8000-000000000021', '00000000-0000-4000-8000-0000000000b2', '00000000-0000-4000-8000-0000000000e1', '{"choices": [1, 0, 2]}', 66.67),
  ('00000000-0000-4000-8000-000000000022', '00000000-0000-4000-8000-0000000000b3', '00000000-0000-4000-8000-0000000000e2', '{"code": "print(1)"}', NULL),
  ('00000000-0000-4000-8000-000000000023', '00000000-0000-4000-8000-0000000000b4', '00000000-0000-4000-8000-0000000000e4', '{"choices": [0]}', 100);

RESET search_path;
