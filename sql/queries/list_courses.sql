-- The courses, by title, with the numbers of their sessions and active sessions.
SELECT ({optional(c, title)}) AS title,
       (SELECT pg_catalog.count(*) FROM platform.sessions AS s WHERE s.course_id OPERATOR(pg_catalog.=) c.id) AS sessions,
       (SELECT pg_catalog.count(*) FROM platform.sessions AS s
         WHERE s.course_id OPERATOR(pg_catalog.=) c.id AND s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active') AS active_sessions,
       c.id
  FROM platform.courses AS c
 ORDER BY 1, c.id
