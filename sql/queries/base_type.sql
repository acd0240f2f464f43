-- The name of type $1 (an oid) or, if it is a domain, of the type that it is over in the end.
WITH RECURSIVE base (oid, depth) AS (
    SELECT $1, 0
     UNION ALL
    SELECT t.typbasetype, b.depth + 1 FROM base AS b JOIN pg_type AS t ON t.oid = b.oid AND t.typtype = 'd'
)
SELECT format('%I.%I', n.nspname, t.typname)
  FROM base AS b
  JOIN pg_type AS t ON t.oid = b.oid
  JOIN pg_namespace AS n ON n.oid = t.typnamespace
 ORDER BY b.depth DESC
 LIMIT 1
