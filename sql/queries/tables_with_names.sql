-- The tables with the names of users, for the platform's tables in schema $1: those to which user_id refers, and those of profiles in the
-- schema, whose primary key refers to the same, where clients may not read the users.
SELECT c.oid
  FROM pg_namespace AS s
  JOIN pg_class AS m ON m.relnamespace = s.oid AND m.relname IN ('org_members', 'enrollments', 'submissions')
  JOIN pg_attribute AS a ON a.attrelid = m.oid AND a.attname = 'user_id'
  JOIN pg_constraint AS k ON k.conrelid = m.oid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum]
  JOIN pg_class AS c ON c.oid = k.confrelid OR c.relnamespace = s.oid AND c.relowner = m.relowner AND EXISTS (
        SELECT FROM pg_constraint AS r
          JOIN pg_constraint AS p ON p.contype = 'p' AND p.conrelid = r.conrelid AND p.conkey = r.conkey
         WHERE r.contype = 'f' AND r.conrelid = c.oid AND r.confrelid = k.confrelid)
 WHERE s.nspname = $1
