-- A session with the names of its organisation and course, and how many rows are linked to it, at most %(most)s of each.
-- No subquery refers to the session's row, which Citus would refuse.
SELECT s.id, s.org_id, s.course_id, s.status::pg_catalog.text AS status, s.created_at,
       {session_title} AS title, {session_start} AS starts, {session_end} AS ends, {org_name} AS org, {course_title} AS course,
       (SELECT pg_catalog.count(*)
          FROM (SELECT 1 FROM platform.enrollments AS e
                WHERE e.session_id OPERATOR(pg_catalog.=) %(session)s::pg_catalog.uuid LIMIT %(most)s::bigint) AS e) AS enrollments,
       (SELECT pg_catalog.count(*)
          FROM (SELECT 1 FROM platform.submissions AS b
                WHERE b.session_id OPERATOR(pg_catalog.=) %(session)s::pg_catalog.uuid LIMIT %(most)s::bigint) AS b) AS submissions,
       (SELECT pg_catalog.jsonb_object_agg(w.week, w.submissions)
          FROM (SELECT pg_catalog.date_trunc('week', r.at)::pg_catalog.date AS week, pg_catalog.count(*) AS submissions
                  FROM (SELECT {submitted_at} AS at FROM platform.submissions AS b
                        WHERE b.session_id OPERATOR(pg_catalog.=) %(session)s::pg_catalog.uuid LIMIT %(most)s::bigint) AS r
                 WHERE r.at OPERATOR(pg_catalog.>) (pg_catalog.now() OPERATOR(pg_catalog.-) '26 weeks'::pg_catalog.interval)
                 GROUP BY 1) AS w) AS weeks
  FROM platform.sessions AS s
  LEFT JOIN platform.orgs AS o ON o.id OPERATOR(pg_catalog.=) s.org_id
  LEFT JOIN platform.courses AS c ON c.id OPERATOR(pg_catalog.=) s.course_id
 WHERE s.id OPERATOR(pg_catalog.=) %(session)s::pg_catalog.uuid
