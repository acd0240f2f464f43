-- The tables with the names of users, for the platform's tables in schema $1: those to which user_id refers, and those of profiles in the
-- schema, of the same owner, whose primary key refers to the same, where clients may not read the users.
SELECT x.oid
  FROM pg_namespace AS s
  JOIN pg_class AS m ON m.relnamespace = s.oid AND m.relname IN ('org_members', 'enrollments', 'submissions')
  JOIN pg_attribute AS a ON a.attrelid = m.oid AND a.attname = 'user_id'
  JOIN pg_constraint AS k ON k.conrelid = m.oid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum]
 CROSS JOIN LATERAL (
        SELECT k.confrelid
        UNION ALL
        SELECT c.oid
          FROM pg_constraint AS r
          JOIN pg_constraint AS p ON p.contype = 'p' AND p.conrelid = r.conrelid AND p.conkey = r.conkey
          JOIN pg_class AS c ON c.oid = r.conrelid AND c.relnamespace = s.oid AND c.relowner = m.relowner
         WHERE r.contype = 'f' AND r.confrelid = k.confrelid
       ) AS x (oid)
 WHERE s.nspname = $1
