-- The way from a submission to its course is still the one that the functions were compiled with.
SELECT 'course_path' AS "check", 'error' AS level, i.course_path AS object,
       format('The host has changed: the path %s from submissions to courses no longer leads as it did when sessiondb was installed.',
              i.course_path) AS detail,
       'Run: sessiondb rollback --to 0007 && sessiondb apply' AS fix
  FROM sessiondb.installation AS i
 WHERE i.course_path IS NOT NULL
   AND NOT EXISTS (SELECT FROM ({course_paths()}) AS p WHERE p.pieces = i.course_pieces)
