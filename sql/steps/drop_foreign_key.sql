-- The statement that drops the foreign key of session_id of table $1. One that existed before is kept.
SELECT format('DO %L', format(
           E'BEGIN\n'
           '    CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', %L, %L);\n'
           '    ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I;\n'
           'END',
           t.name, format('%I.sessions', current_setting('sessiondb.schema')), t.name, o.name)) AS statement,
       json_build_object($1, 'ACCESS EXCLUSIVE', 'sessions', 'ACCESS EXCLUSIVE') AS locks,
       NULL::name AS scans
  FROM sessiondb.objects AS o
 CROSS JOIN LATERAL (SELECT format('%I.%I', current_setting('sessiondb.schema'), o.parent) AS name) AS t
 WHERE o.kind = 'constraint' AND o.parent = $1 AND o.origin = 'created'
   AND EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = to_regclass(t.name) AND k.conname = o.name)
