-- The statements that put the comments of columns, constraints and indexes of ours back where they are lost: they say,
-- should the record be lost, that these are ours. {comments} has kind, parent, name and comment of each.
SELECT format('COMMENT ON %s IS %L', s.object, l.comment) AS statement,
       json_build_object(l.parent, 'SHARE UPDATE EXCLUSIVE') AS locks,
       NULL::name AS scans
  FROM (
{comments}
       ) AS l (kind, parent, name, comment)
  JOIN sessiondb.objects AS o ON o.kind = l.kind AND o.parent = l.parent AND o.name = l.name AND o.origin = 'created'
       -- made by us, and not left behind by somebody who builds an index of that name
       AND NOT o.facts @> '{"valid": false}'
  JOIN pg_namespace AS n ON n.nspname = current_setting('sessiondb.schema')
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = l.parent
 CROSS JOIN LATERAL (
        SELECT format('COLUMN %I.%I.%I', n.nspname, c.relname, a.attname) AS object, col_description(c.oid, a.attnum) AS comment
          FROM pg_attribute AS a
         WHERE l.kind = 'column' AND a.attrelid = c.oid AND a.attname = l.name AND NOT a.attisdropped
        UNION ALL
        SELECT format('CONSTRAINT %I ON %I.%I', k.conname, n.nspname, c.relname), obj_description(k.oid, 'pg_constraint')
          FROM pg_constraint AS k
         WHERE l.kind = 'constraint' AND k.conrelid = c.oid AND k.conname = l.name
        UNION ALL
        SELECT format('INDEX %I.%I', n.nspname, x.relname), obj_description(x.oid, 'pg_class')
          FROM pg_index AS i
          JOIN pg_class AS x ON x.oid = i.indexrelid AND x.relname = l.name
         WHERE l.kind = 'index' AND i.indrelid = c.oid
       ) AS s
 WHERE s.comment IS DISTINCT FROM l.comment
 ORDER BY l.kind, l.parent, l.name
