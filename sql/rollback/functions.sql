-- Functions of the platform that name session_id of the two tables: they fail when the column is dropped. Found in their text.
SELECT 'functions' AS "check", CASE WHEN w.is_fired AND f.is_trusted AND f.body ~* '\m(new|old)\s*\.\s*session_id\M' THEN 'error'
    ELSE 'warning' END AS level, format('function %s', f.name) AS object,
       format('Function %s names session_id, which a rollback drops%s.', f.name,
              CASE WHEN w.is_fired THEN ', and a trigger of the table calls it' END) AS detail,
       'Remove the name from the function first.' AS fix
  FROM (
{function_texts()}
       ) AS f
 CROSS JOIN LATERAL (
        SELECT EXISTS (
                SELECT FROM pg_trigger AS g
                  JOIN pg_class AS c ON c.oid = g.tgrelid
                  JOIN pg_namespace AS n ON n.oid = c.relnamespace
                 WHERE g.tgfoid = f.oid AND n.nspname = current_setting('sessiondb.schema')
                     AND c.relname IN ('enrollments', 'submissions')) AS is_fired
       ) AS w
 WHERE f.body ~* '\msession_id\M'
   AND f.name !~ '\mget_user_session_for_course\('
   AND (w.is_fired OR f.body ~* '\m(enrollments|submissions)\M')
   AND string_to_array(current_setting('sessiondb.undone'), ',') && '{0002,0003}'
   AND EXISTS (SELECT FROM sessiondb.objects AS o WHERE o.kind = 'column' AND o.name = 'session_id' AND o.origin = 'created')
 ORDER BY object
