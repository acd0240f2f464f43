-- Of each pair of an organisation and a course: how many rows of the course have no session, though their student is a
-- member of the organisation. Enrolments are found from the members; of submissions there is no index that would help.
WITH pair AS MATERIALIZED (
    SELECT DISTINCT p.org_id, p.course_id
      FROM ROWS FROM (pg_catalog.unnest(%(orgs)s::pg_catalog.uuid[]), pg_catalog.unnest(%(courses)s::pg_catalog.uuid[])) AS p (org_id, course_id)
),
submitted AS MATERIALIZED (
    SELECT r.user_id, {joined_course}::pg_catalog.uuid AS course_id, pg_catalog.count(*) AS rows
      FROM platform.submissions AS r {joins}
     WHERE r.session_id IS NULL AND {joined_course} OPERATOR(pg_catalog.=) ANY (%(courses)s::pg_catalog.uuid[])
     GROUP BY 1, 2
)
SELECT u.org_id, u.course_id, pg_catalog.sum(u.rows)::bigint AS rows
  FROM (SELECT p.org_id, p.course_id, e.rows
          FROM pair AS p
          JOIN platform.org_members AS m ON m.org_id OPERATOR(pg_catalog.=) p.org_id
         -- citus: JOIN (SELECT e.user_id, e.course_id, pg_catalog.count(*) AS rows
         -- citus:         FROM platform.enrollments AS e
         -- citus:        WHERE e.session_id IS NULL AND e.course_id OPERATOR(pg_catalog.=) ANY (%(courses)s::pg_catalog.uuid[])
         -- citus:        GROUP BY 1, 2) AS e ON e.user_id OPERATOR(pg_catalog.=) m.user_id AND e.course_id OPERATOR(pg_catalog.=) p.course_id /*
         CROSS JOIN LATERAL (
                SELECT pg_catalog.count(*) AS rows
                  FROM platform.enrollments AS e
                 WHERE e.user_id OPERATOR(pg_catalog.=) m.user_id AND e.course_id OPERATOR(pg_catalog.=) p.course_id AND e.session_id IS NULL
               ) AS e
         -- citus: */
        UNION ALL
        SELECT p.org_id, p.course_id, b.rows
          FROM submitted AS b
          JOIN platform.org_members AS m ON m.user_id OPERATOR(pg_catalog.=) b.user_id
          JOIN pair AS p ON p.org_id OPERATOR(pg_catalog.=) m.org_id AND p.course_id OPERATOR(pg_catalog.=) b.course_id) AS u
 GROUP BY 1, 2
