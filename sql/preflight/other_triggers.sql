-- No trigger of the platform also chooses a session, unless it is to be adopted (--adopt).
SELECT 'other_triggers' AS "check", m.level,
       format('trigger %s on %s', w.trigger_name, w.parent) AS object,
       format('Trigger %I on %s writes session_id, as ours will%s: %s', w.trigger_name, w.parent, m.remark, w.definition) AS detail,
       m.fix
  FROM ({triggers_writing('session_id')}) AS w (table_name, trigger_name, relation, definition)
  JOIN (VALUES
        (false, 'error', '', 'Have it taken over with: sessiondb apply --adopt (a rollback restores it), or drop it.'),
        (true, 'warning', '; --adopt takes it over',
         'Its definition is kept, and a rollback restores it; what else its function does needs a trigger of its own.')
       ) AS m (adopted, level, remark, fix) ON m.adopted = (coalesce(current_setting('sessiondb.adopt', true), '') = 'on')
 ORDER BY w.parent, w.trigger_name
