-- The columns that our triggers read are set when they fire. PostgreSQL computes a generated column after the BEFORE
-- triggers: they would see NULL, link no row and refuse every session.
SELECT 'generated_columns' AS "check", 'error' AS level,
       format('%I.%I.%I', n.nspname, c.relname, a.attname) AS object,
       format('Column %I of table %I.%I is generated, so PostgreSQL computes it only after the triggers of sessiondb have read it.',
              a.attname, n.nspname, c.relname) AS detail,
       'Make it an ordinary column that a BEFORE INSERT trigger fills'
       || CASE a.attgenerated
              WHEN 's' THEN format(': ALTER TABLE %I.%I ALTER COLUMN %I DROP EXPRESSION', n.nspname, c.relname, a.attname)
              ELSE '.'  -- a virtual column must be created again
          END AS fix
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname IN ('enrollments', 'submissions')
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attgenerated <> ''
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND (a.attname = 'user_id'
        OR (c.relname = 'enrollments' AND a.attname = 'course_id')
        OR (c.relname = 'submissions'
            AND a.attname IN (
                SELECT jsonb_array_elements_text(s.joins -> 0 -> 'columns')
                  FROM ({shortest_course_paths()}) AS s)))
 ORDER BY c.relname, a.attname
