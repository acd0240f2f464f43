-- No trigger of the host writes session_id beside ours: which of them wins would be a matter of names.
SELECT 'other_triggers' AS "check", 'error' AS level,
       format('trigger %s on %s', w.trigger_name, w.table_name) AS object,
       format('The trigger writes session_id, as ours does: %s', w.definition) AS detail,
       format('DROP TRIGGER %I ON %I.%I', w.trigger_name, current_setting('sessiondb.schema'), w.table_name) AS fix
  FROM ({triggers_writing('session_id')}) AS w (table_name, trigger_name, is_before, definition)
 ORDER BY w.table_name, w.trigger_name
