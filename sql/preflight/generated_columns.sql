-- The columns that our triggers read are set when they fire. PostgreSQL computes a generated column after the BEFORE
-- triggers: they would see NULL, link no row and refuse every session. And it has no indexes on virtual columns.
SELECT 'generated_columns' AS "check", 'error' AS level,
       format('%I.%I.%I', n.nspname, c.relname, a.attname) AS object,
       format(CASE WHEN u.is_read THEN 'Column %I of table %I.%I is generated, so PostgreSQL computes it only after the triggers '
                                       'of sessiondb have read it.'
                   ELSE 'Column %I of table %I.%I is virtual, and PostgreSQL has no indexes on virtual columns.' END,
              a.attname, n.nspname, c.relname) AS detail,
       CASE WHEN u.is_read THEN
           'Make it an ordinary column that a BEFORE INSERT trigger fills'
           || CASE a.attgenerated
                  WHEN 's' THEN format(': ALTER TABLE %I.%I ALTER COLUMN %I DROP EXPRESSION', n.nspname, c.relname, a.attname)
                  ELSE '.'  -- a virtual column must be created again
              END
           ELSE 'Create it again as STORED, or as an ordinary column.'
       END AS fix
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attgenerated <> ''
 CROSS JOIN LATERAL (
        SELECT c.relname IN ('enrollments', 'submissions') AND a.attname = 'user_id'
               OR c.relname = 'enrollments' AND a.attname = 'course_id'
               OR c.relname = 'submissions'
                  AND a.attname IN (
                      SELECT jsonb_array_elements_text(s.joins -> 0 -> 'columns')
                        FROM ({shortest_course_paths()}) AS s) AS is_read
       ) AS u
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND (u.is_read
        OR a.attgenerated = 'v'
           AND EXISTS (
               SELECT FROM ({indexes}) AS required (name, table_name, columns, predicate, comment)
                WHERE required.table_name = c.relname
                  AND a.attname = ANY (regexp_split_to_array(required.columns[1], ' [A-Z ]+|, '))))
 ORDER BY c.relname, a.attname
