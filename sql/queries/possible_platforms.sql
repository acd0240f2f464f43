-- The tables named enrollments, with their owners: one of them may be the platform's.
SELECT string_agg(format('%I.enrollments of role %I', n.nspname, pg_get_userbyid(c.relowner)), ', ' ORDER BY n.nspname)
  FROM pg_class AS c
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relname = 'enrollments' AND c.relkind IN ('r', 'p') AND c.relpersistence <> 't'
