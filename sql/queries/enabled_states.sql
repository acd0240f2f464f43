-- The statements that set again whether trigger $2 of table $1 (an oid) fires, there and on each partition, which may have
-- been set one by one. ENABLE TRIGGER, as a new trigger has it, is left out.
SELECT format('ALTER TABLE ONLY %I.%I %s TRIGGER %I', sn.nspname, sc.relname,
              CASE st.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END, st.tgname)
  FROM ({with_partitions($1)}) AS part
  JOIN pg_trigger AS st ON st.tgrelid = part.relid AND st.tgname = $2 AND st.tgenabled <> 'O'
  JOIN pg_class AS sc ON sc.oid = st.tgrelid
  JOIN pg_namespace AS sn ON sn.oid = sc.relnamespace
 ORDER BY sn.nspname, sc.relname
