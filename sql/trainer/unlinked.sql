-- Whose work of a course is linked to no session, and what would link it to a session of an organisation (%(session)s, NULL
-- for one that is not there yet). choose_sessions() says what the rules choose; remedy is what helps here:
--
-- link      the rules choose this session: only a backfill is missing
-- follow    they choose another session, which is the one to open
-- activate  the student is a member here, but no session of the course is active for them
-- join      the student is no member here, and no other organisation of theirs has an active session
--
-- would_link is how many of the rows the session would get if it were active: those of members, but for submissions that
-- follow an enrolment, and rows that a session which goes before it gets.
--
-- A row for each student, at most %(people)s for each remedy and session; what begins with of_ is of them all. Longer than
-- a screen: one step after the other, so that the large tables are read once.
WITH unlinked AS MATERIALIZED (
    SELECT false AS by_enrollment, e.user_id, pg_catalog.count(*) AS rows
      FROM platform.enrollments AS e
     WHERE e.session_id IS NULL AND e.user_id IS NOT NULL AND e.course_id OPERATOR(pg_catalog.=) %(course)s::pg_catalog.uuid
     GROUP BY 2
    UNION ALL
    SELECT true, r.user_id, pg_catalog.count(*)
      FROM platform.submissions AS r {joins}
     WHERE r.session_id IS NULL AND r.user_id IS NOT NULL AND {joined_course} OPERATOR(pg_catalog.=) %(course)s::pg_catalog.uuid
     GROUP BY 2
),
asked AS (
    SELECT t.by_enrollment, pg_catalog.array_agg(u.user_id) AS user_ids,
           pg_catalog.array_agg(%(course)s::pg_catalog.uuid) AS course_ids
      FROM (VALUES (true), (false)) AS t (by_enrollment)
      JOIN unlinked AS u ON u.by_enrollment OPERATOR(pg_catalog.=) t.by_enrollment
     GROUP BY 1
),
choice AS MATERIALIZED (
    SELECT a.by_enrollment, h.user_id, h.session_id
      FROM asked AS a
     CROSS JOIN LATERAL sessiondb.choose_sessions(a.user_ids, a.course_ids, a.by_enrollment) AS h
),
-- citus: follower AS MATERIALIZED (
-- citus:     SELECT DISTINCT e.user_id
-- citus:       FROM platform.enrollments AS e
-- citus:       JOIN platform.sessions AS s ON s.id OPERATOR(pg_catalog.=) e.session_id
-- citus:       JOIN platform.org_members AS m ON m.org_id OPERATOR(pg_catalog.=) s.org_id AND m.user_id OPERATOR(pg_catalog.=) e.user_id
-- citus:      WHERE e.course_id OPERATOR(pg_catalog.=) %(course)s::pg_catalog.uuid
-- citus:        AND s.course_id OPERATOR(pg_catalog.=) e.course_id
-- citus:        AND s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active'
-- citus: ),
found AS (
    SELECT u.*, h.session_id,
           EXISTS (SELECT FROM platform.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) %(org)s::pg_catalog.uuid
                   AND m.user_id OPERATOR(pg_catalog.=) u.user_id) AS is_member,
           u.by_enrollment AND EXISTS (
               -- citus: SELECT FROM follower AS w WHERE w.user_id OPERATOR(pg_catalog.=) u.user_id /*
               SELECT FROM platform.enrollments AS e
                 JOIN platform.sessions AS s ON s.id OPERATOR(pg_catalog.=) e.session_id
                 JOIN platform.org_members AS m ON m.org_id OPERATOR(pg_catalog.=) s.org_id AND m.user_id OPERATOR(pg_catalog.=) e.user_id
                WHERE e.user_id OPERATOR(pg_catalog.=) u.user_id
                  AND e.course_id OPERATOR(pg_catalog.=) %(course)s::pg_catalog.uuid
                  AND s.course_id OPERATOR(pg_catalog.=) e.course_id
                  AND s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active'
               -- citus: */
               ) AS follows,
           %(session)s::pg_catalog.uuid IS NULL OR %(session)s::pg_catalog.uuid OPERATOR(pg_catalog.=) (
               SELECT s.id
                 FROM platform.sessions AS s
                WHERE s.id OPERATOR(pg_catalog.=) ANY (ARRAY[h.session_id, %(session)s::pg_catalog.uuid])
                ORDER BY s.created_at DESC NULLS LAST, s.id DESC
                LIMIT 1) AS is_first
      FROM unlinked AS u
      JOIN choice AS h ON h.by_enrollment OPERATOR(pg_catalog.=) u.by_enrollment AND h.user_id OPERATOR(pg_catalog.=) u.user_id
),
of_user AS (
    SELECT CASE WHEN f.session_id OPERATOR(pg_catalog.=) %(session)s::pg_catalog.uuid THEN 'link'
                WHEN f.session_id IS NOT NULL THEN 'follow'
                WHEN f.is_member THEN 'activate'
                ELSE 'join' END AS remedy,
           f.user_id, f.session_id,
           coalesce(pg_catalog.sum(f.rows) FILTER (WHERE NOT f.by_enrollment), 0)::bigint AS enrollments,
           coalesce(pg_catalog.sum(f.rows) FILTER (WHERE f.by_enrollment), 0)::bigint AS submissions,
           coalesce(pg_catalog.sum(f.rows) FILTER (WHERE f.is_member AND NOT f.follows AND f.is_first), 0)::bigint AS would_link
      FROM found AS f
     GROUP BY 1, 2, 3
)
SELECT n.*
  FROM (
        SELECT f.*, {session_title} AS title, {org_name} AS org, s.created_at, coalesce(u.name, f.user_id::pg_catalog.text) AS name, u.login,
               pg_catalog.row_number() OVER (PARTITION BY f.remedy, f.session_id ORDER BY {by_name}, u.name, f.user_id) AS place,
               pg_catalog.count(*) OVER of_group AS of_students,
               (pg_catalog.sum(f.enrollments) OVER of_group)::bigint AS of_enrollments,
               (pg_catalog.sum(f.submissions) OVER of_group)::bigint AS of_submissions,
               (pg_catalog.sum(f.would_link) OVER ())::bigint AS of_would_link
          FROM of_user AS f
          LEFT JOIN platform.sessions AS s ON s.id OPERATOR(pg_catalog.=) f.session_id
          LEFT JOIN platform.orgs AS o ON o.id OPERATOR(pg_catalog.=) s.org_id
          LEFT JOIN ({users}) AS u ON u.id OPERATOR(pg_catalog.=) f.user_id
        WINDOW of_group AS (PARTITION BY f.remedy, f.session_id)
       ) AS n
 WHERE n.place OPERATOR(pg_catalog.<=) %(people)s::bigint
 ORDER BY pg_catalog.array_position(ARRAY['link', 'activate', 'join', 'follow'], n.remedy), n.title, n.session_id, n.place
