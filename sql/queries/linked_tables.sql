-- The tables that our link triggers are on, whatever their names and schemas are now: no other role can put them on a table. A command
-- or script knows the schema, 0 for none, since its first look: another role may give one of its own this name at any moment.
SELECT c.relnamespace, c.relowner
  FROM pg_trigger AS t
  JOIN pg_proc AS f ON f.oid = t.tgfoid AND f.pronamespace = coalesce(nullif(current_setting('sessiondb.schema_oid', true), '')::oid, to_regnamespace('sessiondb'))
  JOIN pg_class AS c ON c.oid = t.tgrelid AND NOT c.relispartition
 WHERE t.tgname IN ('zzz_sessiondb_link_enrollment', 'zzz_sessiondb_link_submission')
