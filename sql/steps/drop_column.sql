-- The statements that drop column session_id of table $1, after its links were saved. One that existed before is kept.
SELECT s.statement, json_build_object($1, 'ACCESS EXCLUSIVE') AS locks, NULL::name AS scans
  FROM sessiondb.objects AS o
 CROSS JOIN LATERAL (SELECT format('%I.%I', current_setting('sessiondb.schema'), o.parent) AS name) AS t
 CROSS JOIN LATERAL (
        VALUES (1, format('CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', %L)', t.name)),
               (2, format('DROP TRIGGER IF EXISTS zzz_sessiondb_save ON %s', t.name)),
               (3, format('ALTER TABLE %s DROP COLUMN IF EXISTS session_id', t.name))
       ) AS s (turn, statement)
 WHERE o.kind = 'column' AND o.parent = $1 AND o.name = 'session_id' AND o.origin = 'created'
   AND to_regclass(t.name) IS NOT NULL
 ORDER BY s.turn
