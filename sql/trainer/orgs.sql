-- The organisations, by name, that have a text in their name; the one with an id goes first.
SELECT o.id, coalesce({org_name}, o.id::pg_catalog.text) AS name
  FROM platform.orgs AS o
 WHERE %(search)s::pg_catalog.text IS NULL
    OR pg_catalog.strpos(pg_catalog.lower({org_name}), pg_catalog.lower(%(search)s::pg_catalog.text)) OPERATOR(pg_catalog.>) 0
 ORDER BY o.id OPERATOR(pg_catalog.=) %(id)s::pg_catalog.uuid DESC NULLS LAST, {by_org}, name, o.id
 LIMIT %(limit)s::bigint OFFSET %(skip)s::bigint
