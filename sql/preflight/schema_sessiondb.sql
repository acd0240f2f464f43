-- A schema sessiondb that exists is ours.
SELECT 'schema_sessiondb' AS "check", 'error' AS level, 'sessiondb' AS object,
       format('A schema named sessiondb exists and holds something else: %s.',
              (SELECT string_agg(c.relname, ', ' ORDER BY c.relname) FROM pg_class AS c WHERE c.relnamespace = n.oid)) AS detail,
       'Rename or drop that schema.' AS fix
  FROM pg_namespace AS n
 WHERE n.nspname = 'sessiondb'
   AND to_regclass('sessiondb._yoyo_migration') IS NULL
   AND EXISTS (
        SELECT FROM pg_class AS c
         WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT starts_with(c.relname, 'saved_links_of_'))
