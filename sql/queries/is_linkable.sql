-- Whether a row without a session has an active one of its course in an organisation of its user. SELECT 1, because Citus keeps
-- no result without a column.
WITH open AS (
    SELECT m.user_id, s.course_id
      FROM platform.sessions AS s
      JOIN platform.org_members AS m ON m.org_id OPERATOR(pg_catalog.=) s.org_id
     WHERE s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active'
)
SELECT EXISTS (
           SELECT 1 FROM platform.enrollments AS e
             JOIN open AS o ON o.user_id OPERATOR(pg_catalog.=) e.user_id AND o.course_id OPERATOR(pg_catalog.=) e.course_id
            WHERE e.session_id IS NULL)
    OR EXISTS (
           SELECT 1 FROM platform.submissions AS b
             JOIN open AS o ON o.user_id OPERATOR(pg_catalog.=) b.user_id AND o.course_id OPERATOR(pg_catalog.=) course_of(b)
            WHERE b.session_id IS NULL)
