-- Of each pair of an organisation and a course: how many rows of the course have no session, though their student is a
-- member of the organisation.
WITH pair AS (
    SELECT DISTINCT p.org_id, p.course_id
      FROM ROWS FROM (pg_catalog.unnest(%(orgs)s::pg_catalog.uuid[]), pg_catalog.unnest(%(courses)s::pg_catalog.uuid[])) AS p (org_id, course_id)
),
unlinked AS MATERIALIZED (
    SELECT e.user_id, e.course_id, pg_catalog.count(*) AS rows
      FROM platform.enrollments AS e
     WHERE e.session_id IS NULL AND e.course_id OPERATOR(pg_catalog.=) ANY (%(courses)s::pg_catalog.uuid[])
     GROUP BY 1, 2
    UNION ALL
    SELECT r.user_id, {joined_course}::pg_catalog.uuid, pg_catalog.count(*)
      FROM platform.submissions AS r {joins}
     WHERE r.session_id IS NULL AND {joined_course} OPERATOR(pg_catalog.=) ANY (%(courses)s::pg_catalog.uuid[])
     GROUP BY 1, 2
)
SELECT p.org_id, p.course_id, pg_catalog.sum(u.rows)::bigint AS rows
  FROM unlinked AS u
  JOIN platform.org_members AS m ON m.user_id OPERATOR(pg_catalog.=) u.user_id
  JOIN pair AS p ON p.org_id OPERATOR(pg_catalog.=) m.org_id AND p.course_id OPERATOR(pg_catalog.=) u.course_id
 GROUP BY 1, 2
