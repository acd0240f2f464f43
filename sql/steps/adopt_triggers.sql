-- The statements that adopt the platform's triggers that write session_id of table $1 or of one of its partitions: each
-- is dropped, and its definition is saved for the rollback. Only if the setting sessiondb.adopt is on; otherwise such a
-- trigger is an error, because two triggers would choose different sessions.
SELECT CASE
           WHEN coalesce(current_setting('sessiondb.adopt', true), '') = 'on' THEN format('DO %L', format(
               E'BEGIN\n'
               '    INSERT INTO sessiondb.objects (kind, parent, name, migration, origin, previous_definition)\n'
               '    VALUES (''trigger'', %L, %L, %L, ''replaced'', %L)\n'
               '    ON CONFLICT (kind, parent, name) DO UPDATE SET previous_definition = EXCLUDED.previous_definition;\n'
               '    CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', ARRAY[%L]::pg_catalog.regclass[]);\n'
               '    DROP TRIGGER %I ON %s;\n'
               '    RAISE NOTICE ''%%'', %L;\n'
               'END',
               w.parent, w.trigger_name, CASE $1 WHEN 'enrollments' THEN '0007' ELSE '0008' END, w.definition,
               format('%I.%I', current_setting('sessiondb.schema'), $1), w.trigger_name, w.relation,
               format('trigger %s on %s is taken over; a rollback restores it with: %s', w.trigger_name, w.parent, w.definition)))
           ELSE format('DO %L', format(
               'BEGIN RAISE EXCEPTION USING ERRCODE = ''object_not_in_prerequisite_state'', MESSAGE = %L, HINT = %L; END',
               format('trigger %I on %s writes session_id too', w.trigger_name, w.parent),
               'Have it taken over with: sessiondb apply --adopt, or SET sessiondb.adopt = on.'))
       END AS statement,
       json_build_object($1, 'ACCESS EXCLUSIVE') AS locks,
       NULL::name AS scans
  FROM ({triggers_writing('session_id')}) AS w (table_name, trigger_name, relation, definition)
 WHERE w.table_name = $1
 ORDER BY w.parent, w.trigger_name
