-- No trigger of the platform writes session_id beside ours: which of them wins would be a matter of names.
SELECT 'other_triggers' AS "check", 'error' AS level,
       format('trigger %s on %s', w.trigger_name, c.relname) AS object,
       format('The trigger writes session_id, as ours does: %s', w.definition) AS detail,
       format('DROP TRIGGER %I ON %s', w.trigger_name, w.relation) AS fix
  FROM ({triggers_writing('session_id')}) AS w (table_name, trigger_name, relation, definition)
  JOIN pg_class AS c ON c.oid = w.relation
 ORDER BY c.relname, w.trigger_name
