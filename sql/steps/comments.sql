-- The statements that restore lost comments on our objects: if the record is lost, the comments on columns, constraints,
-- indexes and get_user_session_for_course() show whose these are. {comments} has kind, parent, name, arguments and comment
-- of each.
SELECT format('COMMENT ON %s IS %L', s.object, l.comment) AS statement,
       CASE WHEN s.is_locked THEN json_build_object(l.parent, 'SHARE UPDATE EXCLUSIVE') END AS locks,
       NULL::name AS scans
  FROM (
{comments}
       ) AS l (kind, parent, name, arguments, comment)
  -- not the remnant of another index of that name; a replaced function of the platform is ours
  JOIN sessiondb.objects AS o ON o.kind = l.kind AND o.parent = l.parent AND o.name = l.name
       AND NOT o.facts @> '{"valid": false}'
       AND (o.origin = 'created' OR o.kind = 'function')
  JOIN pg_namespace AS n ON n.nspname = CASE WHEN l.kind = 'function' AND l.parent = 'sessiondb' THEN 'sessiondb' ELSE current_setting('sessiondb.schema') END
  LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = l.parent
 CROSS JOIN LATERAL (
        SELECT format('COLUMN %I.%I.%I', n.nspname, c.relname, a.attname) AS object, col_description(c.oid, a.attnum) AS comment, true AS is_locked
          FROM pg_attribute AS a
         WHERE l.kind = 'column' AND a.attrelid = c.oid AND a.attname = l.name AND NOT a.attisdropped
        UNION ALL
        SELECT format('CONSTRAINT %I ON %I.%I', k.conname, n.nspname, c.relname), obj_description(k.oid, 'pg_constraint'), false
          FROM pg_constraint AS k
         WHERE l.kind = 'constraint' AND k.conrelid = c.oid AND k.conname = l.name
        UNION ALL
        SELECT format('INDEX %I.%I', n.nspname, x.relname), obj_description(x.oid, 'pg_class'), true
          FROM pg_index AS i
          JOIN pg_class AS x ON x.oid = i.indexrelid AND x.relname = l.name
         WHERE l.kind = 'index' AND i.indrelid = c.oid
        UNION ALL
        SELECT format('TRIGGER %I ON %I.%I', t.tgname, n.nspname, c.relname), obj_description(t.oid, 'pg_trigger'), false
          FROM pg_trigger AS t
         WHERE l.kind = 'trigger' AND t.tgrelid = c.oid AND t.tgname = l.name
        UNION ALL
        SELECT format('POLICY %I ON %I.%I', p.polname, n.nspname, c.relname), obj_description(p.oid, 'pg_policy'), true
          FROM pg_policy AS p
         WHERE l.kind = 'policy' AND p.polrelid = c.oid AND p.polname = l.name
        UNION ALL
        SELECT format('ROUTINE %I.%I(%s)', n.nspname, p.proname, l.arguments), obj_description(p.oid, 'pg_proc'), false
          FROM pg_proc AS p
         WHERE l.kind = 'function' AND p.pronamespace = n.oid AND p.proname = l.name AND oidvectortypes(p.proargtypes) = l.arguments
       ) AS s
 WHERE s.comment IS DISTINCT FROM l.comment
 ORDER BY l.kind, l.parent, l.name
