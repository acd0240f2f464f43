-- Each index that the triggers, the foreign keys and the dashboard read exists, under any name, and is valid.
SELECT 'indexes' AS "check", 'error' AS level,
       format('index %s', required.name) AS object,
       format('No valid index on %s (%s)%s: every lookup reads the whole table.',
              required.table_name, required.columns[1], ' WHERE ' || required.predicate) AS detail,
       format('Run: %s', s.statement) AS fix
  FROM ({indexes}) AS required (name, table_name, columns, predicate, comment)
 CROSS JOIN LATERAL (
        SELECT row_number() OVER () AS turn, n.statement
          FROM ({index(required.name, required.table_name, required.columns, required.predicate, required.comment)})
               AS n (statement, locks, scans)
       ) AS s
 ORDER BY required.table_name, required.name, s.turn
