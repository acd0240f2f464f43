-- The tables that our link triggers are on, whatever their names and schemas are now; also one of another role that once had EXECUTE
-- on the functions, or that was given an archive. A command or script knows the schema, 0 for none, since its first look: another role may give one of its own this name at any moment.
SELECT c.relnamespace, c.relowner, t.tgname, h.nspowner AS installed_by
  FROM pg_trigger AS t
  JOIN pg_proc AS f ON f.oid = t.tgfoid
  JOIN pg_namespace AS h ON h.oid = f.pronamespace
   AND h.oid = coalesce(nullif(current_setting('sessiondb.schema_oid', true), '')::oid, to_regnamespace('sessiondb'))
  JOIN pg_class AS c ON c.oid = t.tgrelid AND NOT c.relispartition
 WHERE t.tgname IN ('zzz_sessiondb_link_enrollment', 'zzz_sessiondb_link_submission')
