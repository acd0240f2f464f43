-- Where the walk from a row of submissions arrives at the id of its course: at a column with a foreign key to it, in courses itself, to
-- which a foreign key to another column led, or at the last column of the path that was given.
-- WITH: platform, reference, walk (course_routes.sql)
SELECT w.*, e.column_name AS course_column, false AS believed
  FROM walk AS w
 CROSS JOIN platform AS h
  JOIN reference AS e ON e.from_table = w.at_table AND e.to_table = h.courses
 WHERE NOT w.given
   AND w.at_table <> h.courses
   AND e.is_foreign_key
   AND 'id' = ANY (e.to_columns)
   AND e.column_name NOT IN ('session_id', 'user_id')
UNION ALL
SELECT w.*, 'id', false
  FROM walk AS w
 CROSS JOIN platform AS h
 WHERE NOT w.given
   AND w.at_table = h.courses
UNION ALL
SELECT w.*, a.attname::text, k.leads_to_courses IS NULL AND w.at_table <> h.courses
  FROM walk AS w
 CROSS JOIN platform AS h
  JOIN pg_attribute AS a ON a.attrelid = w.at_table AND a.attname = h.names[w.next_name]
 CROSS JOIN LATERAL (
        SELECT bool_or(f.to_table = h.courses AND 'id' = ANY (f.to_columns)) AS leads_to_courses
          FROM reference AS f
         WHERE f.is_foreign_key AND f.from_table = w.at_table AND f.column_name = a.attname
       ) AS k
 WHERE w.given
   AND w.next_name = cardinality(h.names)
   AND a.attname <> 'user_id'
   AND (w.at_table <> h.courses OR a.attname = 'id')
   AND a.attnum > 0 AND NOT a.attisdropped
   AND 'uuid'::regtype IN (a.atttypid, (SELECT t.typbasetype FROM pg_type AS t WHERE t.oid = a.atttypid))
   -- with a foreign key to another table it is not a course; without a foreign key, the given path is believed
   AND k.leads_to_courses IS NOT FALSE
