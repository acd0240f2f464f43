-- Code of the platform that names session_id without a table, where it reads enrollments or submissions, will find the new column: in a
-- function in SQL it comes before a parameter of that name, so that the function returns other rows, and in PL/pgSQL beside a parameter
-- or variable, as beside a column of another table, it is ambiguous, so that the function fails. Detected in the text of the
-- function. An error if it has a parameter or variable of that name; a warning if the name may be another table's, or if the function
-- is of a role that is not trusted.
WITH grown AS (
    SELECT n.nspname, c.relname
      FROM pg_namespace AS n
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname IN ('enrollments', 'submissions') AND c.relkind IN ('r', 'p')
     WHERE n.nspname = current_setting('sessiondb.schema')
       AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'session_id' AND NOT a.attisdropped)
),
statement AS (
    SELECT f.name, f.is_trusted,
           'session_id' = ANY (f.proargnames) OR f.body ~* '(;|\mdeclare\M)\s*session_id\s+\w' AS is_variable,
           trim(s.text, E' \t\n\r') AS text,
           -- nor the columns that an INSERT lists, nor the name that a result gets
           regexp_replace(s.text, '\minsert\s+into\s+[\w.]+\s*\([^()]*\)|\mas\s+session_id\M', ' ', 'gi') AS searched
      FROM (
{function_texts()}
           ) AS f
     CROSS JOIN LATERAL regexp_split_to_table(f.body, ';') AS s (text)
     WHERE f.body ~* '\msession_id\M'
)
SELECT DISTINCT ON (s.name)
       'ambiguous_names' AS "check",
       CASE WHEN s.is_variable AND s.is_trusted THEN 'error' ELSE 'warning' END AS level,
       format('function %s', s.name) AS object,
       format('Function %s names session_id without its table, and reads %I.%I, which will have a column of that name: "%s"',
              s.name, g.nspname, g.relname,
              left(regexp_replace(s.text, '\s+', ' ', 'g'), 120)) AS detail,
       'Write its table before it or, if it is a parameter or variable, the name of the function: f.session_id' AS fix
  FROM statement AS s
  JOIN grown AS g ON s.searched ~* format('\m%s\M', g.relname)
 WHERE s.searched ~* '(?<![\w.])session_id\M'
 ORDER BY s.name, g.relname, s.text
