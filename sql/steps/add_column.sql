-- The statements that add column session_id to table $1, with the comment $2; none if the column exists, which is used
-- unchanged.
SELECT s.statement, json_build_object($1, s.mode) AS locks, NULL::name AS scans
  FROM (SELECT format('%I.%I', current_setting('sessiondb.schema'), $1) AS name) AS t
 CROSS JOIN LATERAL (
        VALUES (1, format('CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', ARRAY[%L]::pg_catalog.regclass[])', t.name), 'ACCESS EXCLUSIVE'),
               (2, format('ALTER TABLE %s ADD COLUMN session_id pg_catalog.uuid', t.name), 'ACCESS EXCLUSIVE'),
               (3, format('COMMENT ON COLUMN %s.session_id IS %L', t.name, $2), 'SHARE UPDATE EXCLUSIVE')
       ) AS s (turn, statement, mode)
 WHERE NOT EXISTS (
        SELECT FROM pg_attribute AS a
         WHERE a.attrelid = to_regclass(t.name) AND a.attname = 'session_id' AND NOT a.attisdropped)
 ORDER BY s.turn
