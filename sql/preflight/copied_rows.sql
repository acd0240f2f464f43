-- Code of the platform that copies rows of enrollments or submissions by position fails when they get another column:
-- INSERT INTO history SELECT NEW.* ("more expressions than target columns") then makes every write fail, and SELECT * in a
-- function that returns a fixed list of columns makes every read fail. So does a list of columns where a row of the table is
-- expected: RETURNS SETOF enrollments, ROW(...)::enrollments. Detected in the text of the function. A target whose last column
-- is already session_id is prepared; if the target is known only when the function runs, this only warns, as it does for a
-- function of a role that is not trusted, unless a trigger of the two tables calls it.
-- SQL-standard function bodies, views and rules are not affected: PostgreSQL expanded their columns at creation.
WITH grown AS (
    SELECT n.nspname, c.relname, c.oid, c.relowner, c.reltype, regexp_replace(n.nspname, '(\W)', '\\\1', 'g') AS schema,
           (SELECT string_agg(format('%I', a.attname), ', ' ORDER BY a.attnum)
              FROM pg_attribute AS a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
      FROM pg_namespace AS n
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname IN ('enrollments', 'submissions') AND c.relkind IN ('r', 'p')
     WHERE n.nspname = current_setting('sessiondb.schema')
       AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'session_id' AND NOT a.attisdropped)
),
-- the names of the row, or of the rows, in each function of a trigger
fired AS (
    SELECT DISTINCT g.nspname, g.relname, g.columns, t.tgfoid,
           concat_ws('|', t.tgnewtable, t.tgoldtable) AS transition
      FROM grown AS g
     CROSS JOIN LATERAL ({with_partitions(g.oid)}) AS node
      JOIN pg_trigger AS t ON t.tgrelid = node.relid AND NOT t.tgisinternal
),
code AS (
    SELECT f.*
      FROM (
{function_texts()}
           ) AS f
     WHERE f.body ~* '\.\s*\*|\*\s*(,|\mfrom\M)|\m(from|select|row|table)\M'
),
statement AS (
    SELECT c.*, trim(s.text, E' \t\n\r') AS text
      FROM code AS c
     CROSS JOIN LATERAL regexp_split_to_table(c.body, ';') AS s (text)
     WHERE s.text ~* '\*|\m(select|row|table)\M'
),
taken AS (
{copied_by_position()}
)
SELECT DISTINCT ON (t.name, t.relname)
       'copied_rows' AS "check",
       CASE WHEN t.certain THEN 'error' ELSE 'warning' END AS level,
       format('function %s', t.name) AS object,
       format('Function %s copies rows of %I.%I by position, and will fail when the table gets the column session_id: "%s"',
              t.name, t.nspname, t.relname, left(regexp_replace(t.text, '\s+', ' ', 'g'), 120)) AS detail,
       format(CASE WHEN t.text ~ '\*' THEN 'Name the columns instead of *: %s%s'
                   ELSE 'Write the row as a whole, as in SELECT t.* FROM %3$I.%4$I AS t, instead of its columns: %1$s%2$s' END, t.columns,
              CASE WHEN t.certain THEN '; or add the column at the end of the copy: ALTER TABLE '
                   || to_regclass(CASE WHEN target.name ~ '^[^\W\d]\w*\.[^\W\d]\w*$' THEN target.name
                                  WHEN target.name ~ '^[^\W\d]\w*$' THEN format('%I.%s', t.nspname, target.name) END)::text
                                      || ' ADD COLUMN session_id uuid' END,
              t.nspname, t.relname) AS fix
  FROM taken AS t
 CROSS JOIN LATERAL (
        SELECT (regexp_match(t.text, '\minsert\s+into\s+([\w.]+)', 'i'))[1] AS name
       ) AS target
 WHERE NOT EXISTS (
        SELECT FROM pg_class AS c
          JOIN pg_namespace AS n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL (
                SELECT a.attname FROM pg_attribute AS a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                 ORDER BY a.attnum DESC LIMIT 1
               ) AS last
         WHERE target.name IN (c.relname, format('%s.%s', n.nspname, c.relname))
           AND (last.attname = 'session_id' OR c.oid IN (SELECT g.oid FROM grown AS g)))
 ORDER BY t.name, t.relname, t.certain DESC, t.text
