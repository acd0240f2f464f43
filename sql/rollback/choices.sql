-- A rollback of 0010 forgets what was chosen with --staff, one of everything also a path that the foreign keys alone would not give.
SELECT 'choices' AS "check", 'warning' AS level, 'sessiondb.installation' AS object,
       'The next apply will not know what was chosen for this one.' AS detail,
       'Give it again: sessiondb apply'
           || concat(' --schema ' || ({shell_word(c.schema)}), ' --course-path ' || ({shell_word(c.path)}), ' --staff '
                     || ({shell_word(c.staff)}), ' --current-user ' || ({shell_word(c.asks)})) AS fix
  FROM (
        SELECT CASE WHEN u.all_of_it
            AND ARRAY[i.course_path] <> ARRAY(SELECT s.path FROM ({shortest_course_paths()}) AS s) THEN i.course_path END AS path,
               CASE WHEN u.all_of_it THEN nullif(i.platform_schema, 'public')::text END AS schema,
               to_jsonb(i) -> 'staff' ->> 'roles' AS staff,
               to_jsonb(i) -> 'staff' ->> 'current_user' AS asks
          FROM sessiondb.installation AS i
         CROSS JOIN string_to_array(current_setting('sessiondb.undone'), ',') AS n (undone)
         CROSS JOIN LATERAL (SELECT '0001' = ANY (n.undone) AS all_of_it) AS u
         WHERE u.all_of_it OR '0010' = ANY (n.undone)
       ) AS c
 WHERE coalesce(c.path, c.staff) IS NOT NULL
