-- An existing schema sessiondb is ours: it has one of our tables or, if those are lost, our installer. From the catalogs
-- alone, because the current role may lack USAGE on it.
WITH content AS (
    SELECT c.relname AS name, c.relname IN ('_yoyo_migration', 'installation', 'objects') AS is_ledger
      FROM pg_class AS c
     WHERE c.relnamespace = to_regnamespace('sessiondb')
       AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
       -- what a rollback leaves
       AND c.relname !~ '^(saved_links|changed_rows)_of_'
    UNION
    SELECT p.proname, p.proname = 'install' AND starts_with(oidvectortypes(p.proargtypes), 'text, text, name, text, text, text, text')
      FROM pg_proc AS p
     WHERE p.pronamespace = to_regnamespace('sessiondb')
)
SELECT 'schema_sessiondb' AS "check", 'error' AS level, 'sessiondb' AS object,
       format('A schema named sessiondb exists and contains something else: %s.', string_agg(c.name, ', ' ORDER BY c.name)) AS detail,
       CASE
           WHEN EXISTS (SELECT FROM pg_class AS c WHERE c.relnamespace = to_regnamespace('sessiondb') AND starts_with(c.relname, 'saved_links_of_'))
               THEN 'Drop these or move them, but keep the tables saved_links_of_...: a rollback saved the links there.'
           ELSE 'Rename or drop that schema.'
       END AS fix
  FROM content AS c
HAVING NOT bool_or(c.is_ledger)
