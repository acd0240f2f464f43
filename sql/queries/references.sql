-- Every column through which a row leads to a row of another table, as course_routes follows them.
--
-- column_name     the column that names the way
-- from_columns    what is joined with to_columns, by the operators of the same places
-- casts           what follows from_columns there; NULL if nothing does
-- is_foreign_key  false where only the path that was given says so
--
-- A foreign key of several columns is named by the one that refers to "id", else by its last column, and joins on all
-- of them. Not a temporal one (PERIOD), by which a row may refer to several.
SELECT c.conrelid AS from_table,
       c.confrelid AS to_table,
       (array_agg(a.attname::text ORDER BY (f.attname = 'id') DESC, k.place DESC))[1] AS column_name,
       array_agg(a.attname::text ORDER BY k.place) AS from_columns,
       array_agg(f.attname::text ORDER BY k.place) AS to_columns,
       array_agg(o.operator ORDER BY k.place) AS operators,
       CASE WHEN count(r.cast) > 0 THEN array_agg(r.cast ORDER BY k.place) END AS casts,
       true AS is_foreign_key
  FROM pg_constraint AS c
 CROSS JOIN LATERAL ROWS FROM (unnest(c.conkey), unnest(c.confkey), unnest(c.conpfeqop))
       WITH ORDINALITY AS k (from_attnum, to_attnum, equal, place)
 CROSS JOIN LATERAL ({operator(k.equal)}) AS o
  JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.from_attnum
  JOIN pg_attribute AS f ON f.attrelid = c.confrelid AND f.attnum = k.to_attnum
 -- the foreign key itself compares with the collation of the column that is referred to
 CROSS JOIN LATERAL (
        SELECT ({collated(o.right_cast, f.attcollation, a.attcollation)}) AS cast
       ) AS r
 WHERE c.contype = 'f'
   AND c.conparentid = 0
   AND to_jsonb(c) ->> 'conperiod' IS DISTINCT FROM 'true'
 GROUP BY c.oid, c.conrelid, c.confrelid
UNION ALL
-- If no foreign key shows the table of a column, the given path names it: exercise_id.exercises.course_id.
-- The table is joined on its primary key, or on a unique "id".
SELECT a.attrelid,
       t.oid,
       a.attname::text,
       ARRAY[a.attname::text],
       ARRAY[k.attname::text],
       ARRAY[k.operator],
       CASE WHEN k.right_cast IS NOT NULL THEN ARRAY[k.right_cast] END,
       false
  FROM parse_ident(nullif(current_setting('sessiondb.course_path', true), '')) AS g (names)
 CROSS JOIN LATERAL generate_subscripts(g.names, 1) AS n
  JOIN pg_attribute AS a ON a.attname = g.names[n] AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_class AS t ON t.relname = g.names[n + 1] AND t.relkind IN ('r', 'p')
  JOIN pg_namespace AS h ON h.oid = t.relnamespace AND h.nspname = current_setting('sessiondb.schema')
  LEFT JOIN pg_constraint AS c ON c.contype = 'f' AND c.conrelid = a.attrelid AND a.attnum = ANY (c.conkey)
                              AND to_jsonb(c) ->> 'conperiod' IS DISTINCT FROM 'true'
 CROSS JOIN LATERAL (
        SELECT ka.attname, q.operator, ({collated(q.right_cast, ka.attcollation, a.attcollation)}) AS right_cast
          FROM pg_index AS i
          JOIN pg_attribute AS ka ON ka.attrelid = t.oid AND ka.attnum = i.indkey[0]
         CROSS JOIN LATERAL ({equal(ka.atttypid)}) AS q
         WHERE i.indrelid = t.oid
           AND i.indisunique AND i.indisvalid AND i.indnkeyatts = 1 AND i.indpred IS NULL
           AND (i.indisprimary OR ka.attname = 'id')
           AND ka.atttypid = a.atttypid
         ORDER BY (ka.attname = 'id') DESC
         LIMIT 1
       ) AS k
 -- another role may create a table with the name of the next column
 WHERE c.oid IS NULL
