-- What the backfill writes, in one transaction with one UPDATE for each table.
BEGIN;

UPDATE enrollments AS e
   SET session_id = choice.id
  FROM (SELECT r.id AS row_id, newest.id
          FROM enrollments AS r
         CROSS JOIN LATERAL (
                SELECT s.id
                  FROM org_members AS m
                  JOIN sessions AS s ON s.org_id = m.org_id
                 WHERE m.user_id = r.user_id AND s.course_id = r.course_id AND s.status = 'active'
                 ORDER BY s.created_at DESC NULLS LAST, s.id DESC
                 LIMIT 1
               ) AS newest
         WHERE r.session_id IS NULL) AS choice
 WHERE e.id = choice.row_id;

-- every student is enrolled where he submits, and the sessions are those of the enrolments
UPDATE submissions AS b
   SET session_id = s.id
  FROM exercises AS x, enrollments AS e, sessions AS s, org_members AS m
 WHERE x.id = b.exercise_id
   AND e.user_id = b.user_id AND e.course_id = x.course_id
   AND s.id = e.session_id AND s.course_id = x.course_id AND s.status = 'active'
   AND m.org_id = s.org_id AND m.user_id = b.user_id
   AND b.session_id IS NULL;

COMMIT;
