-- 'citus' where Citus manages the table $1, else NULL. It gives each of its tables this trigger; the function is there only where
-- the extension is.
SELECT 'citus'
  FROM pg_trigger AS t
  JOIN pg_proc AS p ON p.oid = t.tgfoid
 WHERE t.tgrelid = $1
   AND t.tgisinternal
   AND p.proname = 'citus_truncate_trigger'
   AND p.pronamespace = 'pg_catalog'::regnamespace
