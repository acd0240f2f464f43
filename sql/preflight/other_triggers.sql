-- No trigger of the host chooses a session too, unless it is to be taken over (--adopt).
SELECT 'other_triggers' AS "check",
       CASE WHEN coalesce(current_setting('sessiondb.adopt', true), '') = 'on' THEN 'warning' ELSE 'error' END AS level,
       format('trigger %s on %s', w.trigger_name, w.table_name) AS object,
       format('The trigger writes session_id, as ours will: %s', w.definition) AS detail,
       'Have it taken over with: sessiondb apply --adopt (a rollback restores it), or drop it.' AS fix
  FROM ({triggers_writing('session_id')}) AS w (table_name, trigger_name, is_before, definition)
 ORDER BY w.table_name, w.trigger_name
