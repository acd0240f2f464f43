-- The schemas of partitions of enrollments and submissions in schema $1 that belong to a role that is not trusted, which could put another
-- schema in the place of one while rows are linked.
SELECT DISTINCT n.nspname, n.nspowner, root.oid::regclass AS of_table, h.owner AS right_owner
  FROM pg_namespace AS s
  JOIN pg_class AS root ON root.relnamespace = s.oid AND root.relname IN ('enrollments', 'submissions') AND root.relkind = 'p'
 CROSS JOIN LATERAL ({with_partitions(root.oid)}) AS node
  JOIN pg_class AS c ON c.oid = node.relid AND c.relnamespace <> s.oid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL (SELECT ({right_owner(s.oid)}) AS owner OFFSET 0) AS h
 WHERE s.nspname = $1
   AND n.nspowner NOT IN (
{trusted_roles(h.owner)}
       )
