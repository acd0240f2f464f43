-- The condition, as text, that row t of those that were noted has not all of the key of the saved links $1 (an oid), because a column of
-- that was dropped, renamed or changed at that time: if its user is known, it may have been any row of theirs, else any row at all.
SELECT format('(%s)', string_agg(format('t.%I IS NULL', a.attname), ' OR ' ORDER BY a.attnum))
  FROM pg_constraint AS k
  JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
 WHERE k.conrelid = $1 AND k.contype = 'p'
