-- The tables that our triggers that link or check rows are on, whatever their names and schemas are now, and which of the two rows it
-- is; also one of another role that once had EXECUTE on the functions, or that was given an archive. A command or script knows the
-- schema, 0 for none, since its first look: another role may give one of its own this name at any moment.
SELECT c.relnamespace, c.relowner, substring(t.tgname FROM '(enrollment|submission)$') AS row_of, h.nspowner AS installed_by
  FROM pg_trigger AS t
  JOIN pg_proc AS f ON f.oid = t.tgfoid AND f.proname IN ('link_enrollment', 'link_submission', 'check_session')
  JOIN pg_namespace AS h ON h.oid = f.pronamespace
   AND h.oid = coalesce(nullif(current_setting('sessiondb.schema_oid', true), '')::oid, to_regnamespace('sessiondb'))
  JOIN pg_class AS c ON c.oid = t.tgrelid AND NOT c.relispartition
 WHERE t.tgname ~ '^zzz_sessiondb_(link|check)_(enrollment|submission)$'
