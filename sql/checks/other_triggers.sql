-- No trigger of the platform writes session_id in addition to ours: their names would decide which one wins. An adopted
-- trigger that was created again, because its script was run again, must be adopted again.
SELECT 'other_triggers' AS "check", 'error' AS level,
       format('trigger %s on %s', w.trigger_name, w.parent) AS object,
       format('%s writes session_id, as the triggers of sessiondb do: %s',
              CASE WHEN o.kind IS NULL THEN 'The trigger' ELSE 'The trigger was taken over and created again; it' END, w.definition) AS detail,
       CASE WHEN o.kind IS NULL THEN format('DROP TRIGGER %I ON %s', w.trigger_name, w.relation) ELSE 'Run: sessiondb apply --adopt' END AS fix
  FROM ({triggers_writing('session_id')}) AS w (table_name, trigger_name, relation, definition)
  LEFT JOIN sessiondb.objects AS o
    ON o.kind = 'trigger' AND o.origin = 'replaced' AND o.parent = w.parent AND o.name = w.trigger_name
 ORDER BY w.parent, w.trigger_name
