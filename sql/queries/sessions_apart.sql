-- How sessions with the same title differ: organisation, status, time of creation.
SELECT s.id,
       pg_catalog.concat_ws(', ', sessiondb.name_of('org', s.org_id), s.status::pg_catalog.text,
           'created ' OPERATOR(pg_catalog.||) pg_catalog.left(s.created_at::pg_catalog.text, 16)) AS apart
  FROM platform.sessions AS s
 WHERE s.id OPERATOR(pg_catalog.=) ANY (%(ids)s::pg_catalog.uuid[])
