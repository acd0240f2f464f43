-- A rollback of everything forgets what was chosen for apply: a path that the foreign keys alone would not give, and --staff.
SELECT 'choices' AS "check", 'warning' AS level, 'sessiondb.installation' AS object,
       'The next apply will not know what was chosen for this one.' AS detail,
       'Give it again: sessiondb apply' || concat(' --schema ' || ({shell_word(c.schema)}), ' --course-path ' || ({shell_word(c.path)}), ' --staff ' || ({shell_word(c.staff)}), ' --current-user ' || ({shell_word(c.asks)})) AS fix
  FROM (
        SELECT CASE WHEN ARRAY[i.course_path] <> ARRAY(SELECT s.path FROM ({shortest_course_paths()}) AS s) THEN i.course_path END AS path,
               nullif(i.platform_schema, 'public')::text AS schema,
               to_jsonb(i) -> 'staff' ->> 'roles' AS staff,
               to_jsonb(i) -> 'staff' ->> 'current_user' AS asks
          FROM sessiondb.installation AS i
       ) AS c
 WHERE '0001' = ANY (string_to_array(current_setting('sessiondb.undone'), ','))
   AND coalesce(c.path, c.staff) IS NOT NULL
