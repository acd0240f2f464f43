-- How sessions with the same title differ: organisation, status, day of creation. Only those of an organisation and of a
-- course, if these are given.
SELECT s.id,
       pg_catalog.concat_ws(', ', sessiondb.name_of('org', s.org_id), s.status::pg_catalog.text,
           'created ' OPERATOR(pg_catalog.||) s.created_at::pg_catalog.date::pg_catalog.text) AS apart
  FROM platform.sessions AS s
 WHERE s.id OPERATOR(pg_catalog.=) ANY (%(ids)s::pg_catalog.uuid[])
   AND (%(org)s::pg_catalog.uuid IS NULL OR s.org_id OPERATOR(pg_catalog.=) %(org)s::pg_catalog.uuid)
   AND (%(course)s::pg_catalog.uuid IS NULL OR s.course_id OPERATOR(pg_catalog.=) %(course)s::pg_catalog.uuid)
