-- The condition, as text, that the row named $2 has the key of row r of the table of saved links $1 (an oid).
SELECT string_agg(format('%4$s.%1$I %2$s r.%1$I%3$s', a.attname, e.operator, e.right_cast, $2), ' AND ' ORDER BY a.attnum)
  FROM pg_constraint AS k
  JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
 CROSS JOIN LATERAL ({equal(a.atttypid)}) AS e
 WHERE k.conrelid = $1 AND k.contype = 'p'
