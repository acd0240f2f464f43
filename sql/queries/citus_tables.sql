-- The tables with the names that the rules read, in any schema, that Citus manages: distributed, reference, Citus local or
-- of a tenant. Citus gives each of its tables this trigger; the function exists only with the extension.
SELECT n.nspname AS schema, c.oid::regclass AS name
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid
 WHERE c.relname IN ('orgs', 'org_members', 'courses', 'sessions', 'enrollments', 'submissions')
   AND EXISTS (
        SELECT
          FROM pg_trigger AS t
          JOIN pg_proc AS p ON p.oid = t.tgfoid
         WHERE t.tgrelid = c.oid
           AND t.tgisinternal
           AND p.proname = 'citus_truncate_trigger'
           AND p.pronamespace = 'pg_catalog'::regnamespace)
