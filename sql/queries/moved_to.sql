-- The schema to which the platform's tables were moved, or that was renamed: it has the table enrollments with our triggers,
-- and $1, the one for which sessiondb is installed, has none of that name, or only one of a role that is not trusted. NULL if
-- they are where they were.
SELECT min(n.nspname::text)
  FROM pg_trigger AS t
  JOIN pg_proc AS f ON f.oid = t.tgfoid AND f.pronamespace = to_regnamespace('sessiondb')
  JOIN pg_class AS c ON c.oid = t.tgrelid AND c.relname = 'enrollments' AND c.relowner = ({linked_owner()})  -- no archive that was given away
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE t.tgname IN ('zzz_sessiondb_link_enrollment', 'zzz_sessiondb_check_enrollment')
   AND NOT EXISTS (
        SELECT FROM pg_class AS o
          JOIN pg_namespace AS s ON s.oid = o.relnamespace
         WHERE o.relname = 'enrollments'
           AND s.nspname = $1
           AND o.relowner IN (
{trusted_roles(c.relowner)}
               ))
