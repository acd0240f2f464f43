-- Every object that the migrations made is there and as it was made.
SELECT 'installed_objects' AS "check", 'error' AS level,
       format('%s %s.%s', o.kind, o.parent, o.name) AS object,
       CASE
           WHEN l.definition IS NULL THEN format('The %s is missing.', o.kind)
           ELSE format('The %s was changed since it was made. It was: %s. It is: %s.', o.kind, o.definition, l.definition)
       END AS detail,
       'Run: sessiondb rollback --to NNNN with the number before the migration that made it, then sessiondb apply' AS fix
  FROM sessiondb.objects AS o
  LEFT JOIN sessiondb.live_objects AS l ON l.kind = o.kind AND l.parent = o.parent AND l.name = o.name
 WHERE o.definition IS NOT NULL
   AND l.definition IS DISTINCT FROM o.definition
 ORDER BY o.kind, o.parent, o.name
