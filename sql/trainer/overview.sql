-- A page of the sessions, by organisation, the active ones first, and what is in each: students, submissions, the last
-- one, and how many there were in each of the last 26 weeks; is_first is the one of its organisation and course that
-- comes first. No more than %(most)s rows of a session are read, by the
-- index on session_id: a count of that many stands for "at least". Where nothing is searched for, the first join with the
-- courses is not made.
--
-- Citus joins distributed tables with no LATERAL subquery: there, all rows of the sessions are read and counted.
WITH shown AS MATERIALIZED (
    SELECT s.id, s.org_id, s.course_id, s.status::pg_catalog.text AS status, s.created_at,
           {session_title} AS title, {session_start} AS starts, {session_end} AS ends, {org_name} AS org
      FROM platform.sessions AS s
      LEFT JOIN platform.orgs AS o ON o.id OPERATOR(pg_catalog.=) s.org_id
      LEFT JOIN platform.courses AS c ON c.id OPERATOR(pg_catalog.=) s.course_id
     WHERE (%(org)s::pg_catalog.uuid IS NULL OR s.org_id OPERATOR(pg_catalog.=) %(org)s::pg_catalog.uuid)
       AND (%(course)s::pg_catalog.uuid IS NULL OR s.course_id OPERATOR(pg_catalog.=) %(course)s::pg_catalog.uuid)
       AND (%(status)s::pg_catalog.text IS NULL OR s.status::pg_catalog.text OPERATOR(pg_catalog.=) %(status)s::pg_catalog.text)
       AND (%(search)s::pg_catalog.text IS NULL
            OR pg_catalog.strpos(pg_catalog.lower(pg_catalog.concat_ws(' ', {session_title}, {course_title}, {org_name})),
                                 pg_catalog.lower(%(search)s::pg_catalog.text)) OPERATOR(pg_catalog.>) 0)
     ORDER BY org, s.org_id, (s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active') DESC, s.created_at DESC NULLS LAST, s.id DESC
     LIMIT %(limit)s::bigint OFFSET %(skip)s::bigint
)
SELECT s.*, {course_title} AS course,
       pg_catalog.row_number() OVER (PARTITION BY s.org_id, s.course_id
                                     ORDER BY (s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active') DESC,
                                         s.created_at DESC NULLS LAST, s.id DESC)
           OPERATOR(pg_catalog.=) 1 AS is_first,
       coalesce(p.students, 0) AS students, coalesce(w.submissions, 0) AS submissions, w.last_at, w.weeks
  FROM shown AS s
  LEFT JOIN platform.courses AS c ON c.id OPERATOR(pg_catalog.=) s.course_id
 -- citus: LEFT JOIN (
 -- citus:        SELECT u.id, pg_catalog.count(DISTINCT u.user_id) AS students
 -- citus:          FROM (SELECT x.id, e.user_id FROM platform.enrollments AS e JOIN shown AS x ON x.id OPERATOR(pg_catalog.=) e.session_id
 -- citus:                UNION ALL
 -- citus:                SELECT x.id, b.user_id FROM platform.submissions AS b JOIN shown AS x ON x.id OPERATOR(pg_catalog.=) b.session_id) AS u
 -- citus:         GROUP BY 1) AS p ON p.id OPERATOR(pg_catalog.=) s.id
 -- citus: LEFT JOIN (
 -- citus:        SELECT w.id, pg_catalog.sum(w.submissions)::bigint AS submissions, pg_catalog.max(w.last_at) AS last_at,
 -- citus:               pg_catalog.jsonb_object_agg(w.week, w.submissions) FILTER (WHERE w.week IS NOT NULL) AS weeks
 -- citus:          FROM (SELECT r.id, CASE WHEN r.at OPERATOR(pg_catalog.>) (pg_catalog.now() OPERATOR(pg_catalog.-) '26 weeks'::pg_catalog.interval)
 -- citus:                                  THEN pg_catalog.date_trunc('week', r.at)::pg_catalog.date END AS week,
 -- citus:                       pg_catalog.count(*) AS submissions, pg_catalog.max(r.at) AS last_at
 -- citus:                  FROM (SELECT x.id, {submitted_at} AS at FROM platform.submissions AS b
 -- citus:                          JOIN shown AS x ON x.id OPERATOR(pg_catalog.=) b.session_id) AS r
 -- citus:                 GROUP BY 1, 2) AS w
 -- citus:         GROUP BY 1) AS w ON w.id OPERATOR(pg_catalog.=) s.id
 -- citus: /*
 CROSS JOIN LATERAL (
        SELECT pg_catalog.count(DISTINCT u.user_id) AS students
          FROM ((SELECT e.user_id FROM platform.enrollments AS e WHERE e.session_id OPERATOR(pg_catalog.=) s.id LIMIT %(most)s::bigint)
                UNION ALL
                (SELECT b.user_id FROM platform.submissions AS b WHERE b.session_id OPERATOR(pg_catalog.=) s.id LIMIT %(most)s::bigint)) AS u
       ) AS p
 CROSS JOIN LATERAL (
        SELECT coalesce(pg_catalog.sum(w.submissions), 0)::bigint AS submissions, pg_catalog.max(w.last_at) AS last_at,
               pg_catalog.jsonb_object_agg(w.week, w.submissions) FILTER (WHERE w.week IS NOT NULL) AS weeks
          FROM (SELECT CASE WHEN r.at OPERATOR(pg_catalog.>) (pg_catalog.now() OPERATOR(pg_catalog.-) '26 weeks'::pg_catalog.interval)
                            THEN pg_catalog.date_trunc('week', r.at)::pg_catalog.date END AS week,
                       pg_catalog.count(*) AS submissions, pg_catalog.max(r.at) AS last_at
                  FROM (SELECT {submitted_at} AS at FROM platform.submissions AS b
                        WHERE b.session_id OPERATOR(pg_catalog.=) s.id LIMIT %(most)s::bigint) AS r
                 GROUP BY 1) AS w
       ) AS w
 -- citus: */
 ORDER BY s.org, s.org_id, (s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active') DESC, s.created_at DESC NULLS LAST, s.id DESC
