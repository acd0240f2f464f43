-- The names of foreign keys that are taken, and columns session_id that refer to something else.
-- WITH: platform (preflight/names.sql)
-- the foreign keys of session_id, of partitions as well
WITH link_key AS (
    SELECT c.relname, c.oid::regclass AS full_name, k.conname, k.confrelid, k.confkey,
           root.relkind = 'p' AS is_partitioned,
           c.oid = root.oid AS is_whole,
           coalesce(k.confrelid = to_regclass(format('%I.sessions', h.nspname)), false) AS is_to_sessions,
           coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true) AS is_enforced,
           coalesce(obj_description(k.oid, 'pg_constraint') LIKE '%(sessiondb)', false) AS is_ours
      FROM platform AS h
      JOIN pg_class AS root ON root.relnamespace = h.oid AND root.relname IN ('enrollments', 'submissions')
     CROSS JOIN LATERAL ({with_partitions(root.oid)}) AS node
      JOIN pg_class AS c ON c.oid = node.relid
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'session_id' AND NOT a.attisdropped
      JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum] AND k.conparentid = 0
)
SELECT format('%s.%s', c.relname, k.conname),
       format('The name of the foreign key that sessiondb needs, %I, is used by: %s', k.conname, pg_get_constraintdef(k.oid)),
       format('Give it another name: ALTER TABLE %I.%I RENAME CONSTRAINT %I TO %I',
              h.nspname, c.relname, k.conname, left('old_' || k.conname, 63))
  FROM platform AS h
  JOIN pg_class AS c ON c.relnamespace = h.oid AND c.relname IN ('enrollments', 'submissions')
  JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.conname = format('%s_session_id_fkey', c.relname)
 WHERE k.contype <> 'f'
    -- ours is found below, or created again
    OR ((k.confrelid IS DISTINCT FROM to_regclass(format('%I.sessions', h.nspname))
         OR c.relkind = 'r' AND NOT coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true))
        AND coalesce(obj_description(k.oid, 'pg_constraint') NOT LIKE '%(sessiondb)', true))
UNION ALL
SELECT format('%s.%s', k.relname, k.conname),
       format('The foreign key %I of %s is not enforced, and PostgreSQL allows no other beside it on a partitioned '
              'table.', k.conname, k.full_name),
       format('Drop it: ALTER TABLE %s DROP CONSTRAINT %I', k.full_name, k.conname)
  FROM link_key AS k
 WHERE k.is_partitioned AND k.is_to_sessions AND NOT k.is_enforced AND NOT k.is_ours
UNION ALL
SELECT format('%s.session_id', k.relname),
       format('Column session_id of %I refers to %s, not to sessions%s.', k.relname, k.confrelid::regclass,
              CASE WHEN k.is_ours THEN '' ELSE ': it is used for something else' END),
       CASE WHEN k.is_ours THEN format('Drop the key, which apply creates again: ALTER TABLE %s DROP CONSTRAINT %I', k.full_name, k.conname)
            ELSE format('Give it another name: ALTER TABLE %s RENAME COLUMN session_id TO %I',
                        k.full_name, (SELECT x.relname FROM pg_class AS x WHERE x.oid = k.confrelid) || '_id') END
  FROM link_key AS k
 WHERE k.is_whole AND NOT k.is_to_sessions
UNION ALL
SELECT format('%s.session_id', k.relname),
       format('Column session_id of %I refers to column %I of sessions, not to its id.', k.relname, f.attname),
       format('ALTER TABLE %s DROP CONSTRAINT %I', k.full_name, k.conname)
  FROM link_key AS k
  JOIN pg_attribute AS f ON f.attrelid = k.confrelid AND ARRAY[f.attnum] = k.confkey AND f.attname <> 'id'
 WHERE k.is_whole AND k.is_to_sessions
