-- Whether object $2 (an oid) of catalog $1 is a part of the one that the parent of its table has, and cannot be dropped by itself.
SELECT CASE $1
           WHEN 'pg_trigger'::regclass THEN EXISTS (SELECT FROM pg_trigger AS t WHERE t.oid = $2 AND t.tgparentid <> 0)
           WHEN 'pg_constraint'::regclass THEN EXISTS (SELECT FROM pg_constraint AS k WHERE k.oid = $2 AND k.coninhcount > 0)
           WHEN 'pg_class'::regclass THEN EXISTS (SELECT FROM pg_class AS c WHERE c.oid = $2 AND c.relispartition AND c.relkind IN ('i', 'I'))
           WHEN 'pg_attrdef'::regclass THEN EXISTS (
               SELECT FROM pg_attrdef AS d JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
                WHERE d.oid = $2 AND a.attgenerated <> '' AND EXISTS (
                        SELECT FROM pg_inherits AS i
                          JOIN pg_attribute AS b ON b.attrelid = i.inhparent AND b.attname = a.attname
                          JOIN pg_attrdef AS e ON e.adrelid = b.attrelid AND e.adnum = b.attnum
                         WHERE i.inhrelid = d.adrelid AND pg_get_expr(e.adbin, e.adrelid) = pg_get_expr(d.adbin, d.adrelid)))
           ELSE false
       END
