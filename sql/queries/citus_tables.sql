-- The tables with the names that the rules read, in any schema, that Citus manages: distributed, reference, Citus local or
-- of a tenant.
SELECT n.nspname AS schema, c.oid::regclass AS name
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid
 WHERE c.relname IN ('orgs', 'org_members', 'courses', 'sessions', 'enrollments', 'submissions')
   AND EXISTS ({citus_manager(c.oid)})
