-- The tables of the platform's schema that $1 (text[]) names, and their partitions in any schema, with their estimated rows, unknown before the
-- first ANALYZE or VACUUM, and their size on disk in bytes, including partitions. Of two with the same name, the one in the
-- platform's schema is last.
SELECT c.relname::text,
       CASE WHEN min(l.reltuples) >= 0 THEN sum(l.reltuples)::bigint END,
       sum(
           -- citus: CASE WHEN EXISTS (SELECT FROM pg_dist_partition AS p WHERE p.logicalrelid = l.oid) THEN citus_table_size(l.oid) ELSE
           pg_table_size(l.oid)
           -- citus: END
           )::bigint
  FROM pg_class AS c
  JOIN pg_class AS root
       ON root.oid = CASE WHEN c.relispartition THEN pg_partition_root(c.oid) ELSE c.oid END
  JOIN pg_namespace AS n ON n.oid = root.relnamespace
 CROSS JOIN LATERAL (
        SELECT c.oid WHERE c.relkind = 'r'
        UNION ALL
        SELECT t.relid FROM pg_partition_tree(c.oid) AS t WHERE c.relkind = 'p' AND t.isleaf
       ) AS leaf (oid)
  JOIN pg_class AS l ON l.oid = leaf.oid
 WHERE c.relkind IN ('r', 'p')
   -- others may be locked for long, and to ask for the size of one waits
   AND c.relname = ANY ($1)
   AND root.relname IN ('enrollments', 'submissions', 'sessions', 'org_members')
   AND n.nspname = current_setting('sessiondb.schema')
 GROUP BY c.oid, c.relname, c.relnamespace, n.oid
 ORDER BY c.relnamespace = n.oid
