-- The owner of the table that our link triggers are on, whatever its name and schema are now: no other role can put them on a
-- table. No row before they are created, or after all of them were dropped. A command or script knows the schema, 0 for none, since
-- its first look: another role may give one of its own this name at any moment.
SELECT c.relowner
  FROM pg_trigger AS t
  JOIN pg_proc AS f ON f.oid = t.tgfoid AND f.pronamespace = coalesce(nullif(current_setting('sessiondb.schema_oid', true), '')::oid, to_regnamespace('sessiondb'))
  JOIN pg_class AS c ON c.oid = t.tgrelid AND NOT c.relispartition
 WHERE t.tgname IN ('zzz_sessiondb_link_enrollment', 'zzz_sessiondb_link_submission')
 ORDER BY t.tgname, t.oid
 LIMIT 1
