-- The condition, as text, that row r of the table of saved links $1 (an oid) is of the row that $2 names: the same key, the
-- same user and the same object, unless that was deleted. Clients may give a row the key of a deleted one. $3 names the row whose
-- columns but for the user are compared: as it was before a trigger gave it another version.
SELECT string_agg(
           format(CASE
                      WHEN a.attnum = ANY (k.conkey) THEN CASE a.attname WHEN 'user_id' THEN '%3$s' ELSE '%5$s' END || '.%1$I %2$s r.%1$I%4$s'
                      WHEN a.attname = 'user_id' THEN 'coalesce(%3$s.%1$I %2$s r.%1$I%4$s, %3$s.%1$I IS NULL AND r.%1$I IS NULL)'
                      ELSE 'coalesce(%5$s.%1$I %2$s r.%1$I%4$s, %5$s.%1$I IS NULL)'
                  END, a.attname, e.operator, $2, e.right_cast, $3), ' AND ' ORDER BY a.attnum)
  FROM pg_attribute AS a
  JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = 'p'
 CROSS JOIN LATERAL ({equal(a.atttypid)}) AS e
 WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped AND a.attname NOT IN ('session_id', 'session_belongs_to')
