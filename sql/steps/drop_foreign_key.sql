-- The statement that drops the foreign key of session_id of table $1, if the column stays because it existed before. A key that existed
-- before is kept. The key of a column of ours is dropped with it: without the key, a session could be created again, with its id,
-- for another organisation.
SELECT format('DO %L', format(
           E'BEGIN\n'
           '    CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', ARRAY[%L, %L]::pg_catalog.regclass[]);\n'
           '    ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I;\n'
           'END',
           t.name, format('%I.sessions', current_setting('sessiondb.schema')), t.name, o.name)) AS statement,
       json_build_object($1, 'ACCESS EXCLUSIVE', 'sessions', 'ACCESS EXCLUSIVE') AS locks,
       NULL::name AS scans
  FROM sessiondb.objects AS o
 CROSS JOIN LATERAL (SELECT format('%I.%I', current_setting('sessiondb.schema'), o.parent) AS name) AS t
 WHERE o.kind = 'constraint' AND o.parent = $1 AND o.origin = 'created'
   AND EXISTS (SELECT FROM sessiondb.objects AS c WHERE c.kind = 'column' AND c.parent = o.parent AND c.name = 'session_id' AND c.origin <> 'created')
   AND EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = to_regclass(t.name) AND k.conname = o.name)
