-- The path from a submission to its course is still the one with which the functions were compiled. Names a column or table
-- on it that was renamed or dropped.
SELECT 'course_path' AS "check", 'error' AS level, i.course_path AS object,
       coalesce(
           (SELECT format('Column %I of table %s, on the path %s from submissions to courses, no longer exists.', used.name, used.of_table, i.course_path)
              FROM jsonb_array_elements(i.course_joins) WITH ORDINALITY AS j (step, place)
             CROSS JOIN LATERAL (
                    SELECT j.step ->> 'from' AS of_table, c.name FROM jsonb_array_elements_text(j.step -> 'columns') AS c (name)
                    UNION ALL
                    SELECT j.step ->> 'to', k.name FROM jsonb_array_elements_text(j.step -> 'keys') AS k (name)
                   ) AS used
             WHERE to_regclass(used.of_table) IS NOT NULL
               AND NOT EXISTS (
                    SELECT FROM pg_attribute AS a
                     WHERE a.attrelid = to_regclass(used.of_table) AND a.attname = used.name AND NOT a.attisdropped)
             ORDER BY j.place
             LIMIT 1),
           (SELECT format('Table %s, on the path %s from submissions to courses, no longer exists.', j.step ->> 'to', i.course_path)
              FROM jsonb_array_elements(i.course_joins) WITH ORDINALITY AS j (step, place)
             WHERE to_regclass(j.step ->> 'to') IS NULL
             ORDER BY j.place
             LIMIT 1),
           format('The platform has changed: the path %s from submissions to courses no longer leads as it did when sessiondb was installed.', i.course_path)
       ) AS detail,
       'Find the path again, or give one with --course-path PATH: sessiondb apply' AS fix
  FROM sessiondb.installation AS i
 WHERE i.course_path IS NOT NULL
   AND NOT EXISTS (SELECT FROM ({course_paths()}) AS p WHERE p.pieces = i.course_pieces)
