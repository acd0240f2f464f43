-- The organisations, by name, with the numbers of their members and active sessions.
SELECT ({optional(o, slug)}) AS slug,
       ({optional(o, name)}) AS name,
       (SELECT pg_catalog.count(*) FROM platform.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) o.id) AS members,
       (SELECT pg_catalog.count(*) FROM platform.sessions AS s
         WHERE s.org_id OPERATOR(pg_catalog.=) o.id AND s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active') AS active_sessions,
       o.id
  FROM platform.orgs AS o
 ORDER BY 2, 1, o.id
