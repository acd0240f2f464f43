-- The courses, by title; the one with an id goes first. A session without a title is named after its course, as add_session() does.
SELECT c.id, coalesce({course_title}, c.id::pg_catalog.text) AS name
  FROM platform.courses AS c
 ORDER BY c.id OPERATOR(pg_catalog.=) %(id)s::pg_catalog.uuid DESC NULLS LAST, {by_course}, name, c.id
 LIMIT %(limit)s::bigint
