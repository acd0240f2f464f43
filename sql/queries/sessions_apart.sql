-- How sessions with the same title differ: organisation, status, day of creation.
SELECT s.id,
       pg_catalog.concat_ws(', ', sessiondb.name_of('org', s.org_id), s.status::pg_catalog.text,
           'created ' OPERATOR(pg_catalog.||) s.created_at::pg_catalog.date::pg_catalog.text) AS apart
  FROM platform.sessions AS s
 WHERE s.id OPERATOR(pg_catalog.=) ANY (%(ids)s::pg_catalog.uuid[])
