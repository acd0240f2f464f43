-- The condition, as text, that row o of table $2 (an oid) has the key of row r of the table of saved links $1 (an oid), if nothing keeps
-- several rows of the table from having it, because it has another primary key now; else NULL.
SELECT string_agg(format('o.%1$I %2$s r.%1$I%3$s', a.attname, e.operator, e.right_cast), ' AND ' ORDER BY a.attnum)
  FROM pg_constraint AS k
  JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)
 CROSS JOIN LATERAL ({equal(a.atttypid)}) AS e
 WHERE k.conrelid = $1 AND k.contype = 'p'
   AND NOT EXISTS (
        SELECT FROM pg_index AS x
         WHERE x.indrelid = $2 AND x.indisunique AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL
           AND NOT EXISTS (
                SELECT FROM unnest(x.indkey::smallint[]) WITH ORDINALITY AS i (attnum, place)
                  JOIN pg_attribute AS u ON u.attrelid = x.indrelid AND u.attnum = i.attnum
                 WHERE i.place <= x.indnkeyatts
                   AND u.attname NOT IN (SELECT w.attname FROM pg_attribute AS w WHERE w.attrelid = k.conrelid AND w.attnum = ANY (k.conkey))))
