-- A school for `sessiondb trainer --demo`, on the reference platform: four organisations, their trainers, 140 students.
INSERT INTO orgs (id, name, slug) VALUES
  ('00000000-0000-4000-8000-0000000000a3', 'École du Port', 'ecole-du-port'),
  ('00000000-0000-4000-8000-0000000000a4', 'Institut Lumière', 'institut-lumiere');

INSERT INTO courses (id, title) VALUES
  ('00000000-0000-4000-8000-0000000000c3', 'Web : HTML et CSS'),
  ('00000000-0000-4000-8000-0000000000c4', 'Cybersécurité, les bases');

INSERT INTO exercises (course_id, title)
SELECT c.id, c.title || ' – ' || n FROM courses AS c CROSS JOIN generate_series(1, 8) AS n;

-- one in seventeen is in no organisation; the first of each organisation teaches
CREATE TEMPORARY TABLE people AS
SELECT n, gen_random_uuid() AS id,
       f.names[1 + n % 20] || ' ' || l.names[1 + (n + n / 20) % 24] AS name,
       CASE WHEN n % 17 <> 4 THEN (ARRAY(SELECT o.id FROM orgs AS o ORDER BY o.id))[1 + n % 4] END AS org_id,
       CASE WHEN n < 4 THEN 'trainer' ELSE 'student' END AS role,
       CASE n % 3 WHEN 0 THEN 'Data with SQL' WHEN 1 THEN 'Python for beginners' ELSE 'Web : HTML et CSS' END AS course
  FROM generate_series(0, 143) AS n,
       (SELECT ARRAY['Amina', 'Baptiste', 'Camille', 'Diego', 'Élise', 'Farid', 'Gabrielle', 'Hugo', 'Inès', 'Jules', 'Karima', 'Léo',
                     'Manon', 'Nathan', 'Océane', 'Paul', 'Rachida', 'Samuel', 'Théa', 'Yanis'] AS names) AS f,
       (SELECT ARRAY['Arnaud', 'Benali', 'Chevalier', 'Dubois', 'Étienne', 'Fontaine', 'Garnier', 'Haddad', 'Imbert', 'Joly', 'Klein', 'Lambert',
                     'Moreau', 'Nguyen', 'Olivier', 'Petit', 'Quentin', 'Roussel', 'Silva', 'Traoré', 'Urbain', 'Vidal', 'Weber', 'Ziani'] AS names) AS l;

INSERT INTO users (id, email, full_name)
SELECT p.id, lower(translate(p.name, ' ÉéèêëïîôçÎ', '.EeeeeiiocI')) || '@example.org', p.name FROM people AS p;

INSERT INTO org_members (org_id, user_id, role)
SELECT p.org_id, p.id, p.role FROM people AS p WHERE p.org_id IS NOT NULL;

CREATE TEMPORARY VIEW attendance AS
SELECT p.n, p.id AS user_id, p.org_id, p.course, c.id AS course_id, now() - make_interval(days => 130 + p.n % 9) AS enrolled_at
  FROM people AS p JOIN courses AS c ON c.title = p.course WHERE p.role = 'student';

CREATE TEMPORARY VIEW work AS
SELECT a.*, e.id AS exercise_id, 'Exercice ' || e.place AS content,
       a.enrolled_at + make_interval(days => (e.place * 14 + a.n * 7 % 12)::integer, hours => a.n % 10) AS submitted_at
  FROM attendance AS a
  JOIN (SELECT e.*, row_number() OVER (PARTITION BY e.course_id ORDER BY e.title) AS place FROM exercises AS e) AS e
    ON e.course_id = a.course_id AND e.place <= 3 + a.n * 5 % 7 % 6;

-- what is there before sessiondb: all that students of SQL did, and those who are in no organisation
INSERT INTO enrollments (user_id, course_id, enrolled_at)
SELECT a.user_id, a.course_id, a.enrolled_at FROM attendance AS a WHERE a.course = 'Data with SQL' OR a.org_id IS NULL;
INSERT INTO submissions (user_id, exercise_id, content, submitted_at)
SELECT w.user_id, w.exercise_id, w.content, w.submitted_at FROM work AS w WHERE w.course = 'Data with SQL' OR w.org_id IS NULL;

-- apply

-- the sessions of the other courses, in which students enrol and submit; and two of last year, which are over
INSERT INTO sessions (org_id, course_id, title, status, created_by, created_at, starts_on, ends_on)
SELECT o.id, c.id, 'Groupe ' || v.season || to_char(v.began, ' YYYY') || ' – ' || c.title, v.status, t.id, v.began, v.began, v.began + interval '6 months'
  FROM (VALUES ('Automne', 'completed', now() - interval '14 months', '{Python for beginners}'::text[]),
               ('Été', 'active', now() - interval '140 days', '{Python for beginners,Web : HTML et CSS}'),
               ('Hiver', 'draft', now() - interval '2 days', '{Cybersécurité\, les bases}')) AS v (season, status, began, courses)
  JOIN courses AS c ON c.title = ANY (v.courses)
 CROSS JOIN orgs AS o
  JOIN people AS t ON t.org_id = o.id AND t.role = 'trainer'
 WHERE v.status = 'active' OR o.slug IN ('atelier-nord', 'ecole-du-port');

INSERT INTO enrollments (user_id, course_id, enrolled_at)
SELECT a.user_id, a.course_id, a.enrolled_at FROM attendance AS a WHERE a.course <> 'Data with SQL' AND a.org_id IS NOT NULL;
INSERT INTO submissions (user_id, exercise_id, content, submitted_at)
SELECT w.user_id, w.exercise_id, w.content, w.submitted_at FROM work AS w WHERE w.course <> 'Data with SQL' AND w.org_id IS NOT NULL;
