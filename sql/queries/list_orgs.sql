-- The organisations, by name, with the numbers of their members and active sessions.
SELECT pg_catalog.to_jsonb(o.*) OPERATOR(pg_catalog.->>) 'slug'::pg_catalog.text AS slug,
       pg_catalog.to_jsonb(o.*) OPERATOR(pg_catalog.->>) 'name'::pg_catalog.text AS name,
       (SELECT pg_catalog.count(*) FROM platform.org_members AS m WHERE m.org_id OPERATOR(pg_catalog.=) o.id) AS members,
       (SELECT pg_catalog.count(*) FROM platform.sessions AS s
         WHERE s.org_id OPERATOR(pg_catalog.=) o.id AND s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active') AS active_sessions,
       o.id
  FROM platform.orgs AS o
 ORDER BY 2, 1, o.id
