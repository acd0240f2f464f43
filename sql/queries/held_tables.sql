-- The statement that locks the tables of the rules in schema $1 and those named in $2 (text[], on the path to the course), as far
-- as the current role may, with their names and OIDs in the snapshot of the transaction; NULL if there are none. Of the
-- tables of the rules only those named in $3, if that is not NULL.
SELECT 'LOCK TABLE ' || string_agg('ONLY ' || i.name, ', ' ORDER BY i.name) FILTER (WHERE c.relkind IN ('r', 'p', 'v')) || ' IN ACCESS SHARE MODE' AS statement,
       array_agg(i.name) AS names, array_agg(c.oid) AS oids
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL (SELECT concat(quote_ident(n.nspname), '.', quote_ident(c.relname)) AS name) AS i
 WHERE (n.nspname = $1 AND c.relname IN ('orgs', 'org_members', 'courses', 'sessions', 'enrollments', 'submissions')
        AND coalesce(c.relname = ANY ($3), true)
        OR i.name = ANY ($2))
   AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND has_table_privilege(c.oid, 'SELECT') AND has_schema_privilege(n.oid, 'USAGE')
