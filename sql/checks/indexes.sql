-- Each index that the triggers, the foreign keys and the dashboard read exists, under any name, and is valid. If another one
-- has its name, apply refuses, for the same reason and with the same fix.
SELECT 'indexes' AS "check", 'error' AS level,
       format('index %s.%s', required.table_name, required.name) AS object,
       format('No valid index on %s (%s)%s: every lookup reads the whole table.',
              required.table_name, required.columns[1], ' WHERE ' || required.predicate) AS detail,
       coalesce(other.fix || E'\nThen', 'Run') || ': sessiondb apply' AS fix
  FROM ({indexes}) AS required (name, table_name, columns, predicate, comment)
 CROSS JOIN LATERAL (
        SELECT count(*) AS statements, bool_or(n.statement LIKE '%DROP INDEX %') AS is_renewed
          FROM ({index(required.name, required.table_name, required.columns, required.predicate, required.comment)})
               AS n (statement, locks, scans)
       ) AS needed
  LEFT JOIN LATERAL (
        SELECT format('Give the one of its name another: ALTER INDEX %I.%I RENAME TO %I', n.nspname, c.relname, left('old_' || c.relname, 63)) AS fix
          FROM pg_namespace AS n
          JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = required.name
          JOIN pg_index AS i ON i.indexrelid = c.oid
         WHERE n.nspname = current_setting('sessiondb.schema') AND NOT needed.is_renewed
           AND (i.indisvalid OR c.relkind = 'I' AND coalesce(obj_description(c.oid, 'pg_class') NOT LIKE '%(sessiondb)', true))
       ) AS other ON true
 WHERE needed.statements > 0
 ORDER BY required.table_name, required.name
