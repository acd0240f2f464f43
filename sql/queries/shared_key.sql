-- The condition, as text, that row o of table $2 (an oid) could be the one of row r of the table of saved links $1 (an oid), if nothing
-- keeps several rows of the table from having its key, because it has another primary key now; else NULL.
SELECT s.condition
  FROM (SELECT ({same_row($1, 'o', 'o')}) AS condition) AS s
 WHERE NOT EXISTS (
        SELECT FROM pg_index AS x
         WHERE x.indrelid = $2 AND x.indisunique AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL
           AND NOT EXISTS (
                SELECT FROM unnest(x.indkey::smallint[]) WITH ORDINALITY AS i (attnum, place)
                  JOIN pg_attribute AS u ON u.attrelid = x.indrelid AND u.attnum = i.attnum
                 WHERE i.place <= x.indnkeyatts
                   AND u.attname NOT IN (
                        SELECT w.attname
                          FROM pg_constraint AS k
                          JOIN pg_attribute AS w ON w.attrelid = k.conrelid AND w.attnum = ANY (k.conkey)
                         WHERE k.conrelid = $1 AND k.contype = 'p')))
