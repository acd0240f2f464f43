-- Each index that the triggers, the foreign keys and the dashboard read exists, under any name, and is valid. If another one
-- has its name, that one is to be dropped first, as installed_objects says.
SELECT 'indexes' AS "check", 'error' AS level,
       format('index %s', required.name) AS object,
       format('No valid index on %s (%s)%s: every lookup reads the whole table.',
              required.table_name, required.columns[1], ' WHERE ' || required.predicate) AS detail,
       CASE WHEN other.indexrelid IS NULL THEN format('Run: %s', s.statement)
            ELSE format(E'DROP INDEX %I.%I\nThen: sessiondb apply', current_setting('sessiondb.schema'), required.name)
       END AS fix
  FROM ({indexes}) AS required (name, table_name, columns, predicate, comment)
 CROSS JOIN LATERAL (
        SELECT row_number() OVER () AS turn, n.statement
          FROM ({index(required.name, required.table_name, required.columns, required.predicate, required.comment)})
               AS n (statement, locks, scans)
       ) AS s
  LEFT JOIN pg_index AS other
    ON other.indexrelid = to_regclass(format('%I.%I', current_setting('sessiondb.schema'), required.name))
       AND other.indisvalid AND s.statement NOT LIKE 'DROP INDEX %'
 WHERE other.indexrelid IS NULL OR s.turn = 1
 ORDER BY required.table_name, required.name, s.turn
