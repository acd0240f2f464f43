-- The condition, as text, that of row t of those that were noted only the user is known, because a column of the key of the saved links $1
-- (an oid) was dropped, renamed or changed at that time. NULL if the user is the key.
SELECT string_agg(format('t.%I IS NULL', a.attname), ' AND ' ORDER BY a.attnum)
  FROM pg_constraint AS k
  JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) AND a.attname <> 'user_id'
 WHERE k.conrelid = $1 AND k.contype = 'p'
