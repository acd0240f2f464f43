-- The names of our objects are free, or used by equivalent objects.
--
-- Longer than a screen: a branch for each kind of object.
WITH platform AS (
    SELECT n.oid, n.nspname FROM pg_namespace AS n WHERE n.nspname = current_setting('sessiondb.schema')
),
-- the foreign keys of session_id, of partitions as well
link_key AS (
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
SELECT 'names' AS "check", 'error' AS level, f.object, f.detail, f.fix
  FROM (
        SELECT format('%I.%I', h.nspname, c.relname) AS object,
               format('The name of an index that sessiondb needs, %I, is used by a different object%s.', c.relname, ' of table '
                      || t.oid::regclass) AS detail,
               CASE
                   WHEN i.indexrelid IS NULL THEN format('Give %I.%I another name.', h.nspname, c.relname)
                   ELSE format('Give it another name: ALTER INDEX %I.%I RENAME TO %I', h.nspname, c.relname, left('old_' || c.relname, 63))
               END AS fix
          FROM platform AS h
         CROSS JOIN ({indexes}) AS required (name, table_name, columns, predicate, comment)
          JOIN pg_class AS c ON c.relnamespace = h.oid AND c.relname = required.name
          LEFT JOIN pg_index AS i ON i.indexrelid = c.oid
          LEFT JOIN pg_class AS t ON t.oid = i.indrelid
         WHERE t.relname IS DISTINCT FROM required.table_name
            -- an invalid index is built again, except one of a partitioned table that another session is still building
            OR ((i.indisvalid OR (c.relkind = 'I' AND coalesce(obj_description(c.oid, 'pg_class') NOT LIKE '%(sessiondb)', true)))
                AND EXISTS (
                SELECT FROM ({index(required.name, required.table_name, required.columns, required.predicate,
                                    required.comment)}) AS s (statement, locks, scans)
                HAVING count(*) > 0 AND NOT bool_or(s.statement LIKE '%DROP INDEX %'))
                -- ours follows a column that is renamed, which required_columns reports
                AND NOT EXISTS (
                SELECT FROM regexp_split_to_table(required.columns[1], ', ') AS k (name)
                 WHERE k.name <> 'session_id'
                     AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = t.oid AND a.attname = split_part(k.name, ' ', 1))))
        UNION ALL
        -- those of partitions can be computed
        SELECT format('%I.%I', x.schema_name, x.index_name),
               format('The name of an index that sessiondb needs on table %I.%I is used by a different object, of role %I.',
                      x.schema_name, x.table_name, pg_get_userbyid(c.relowner)),
               format('Give %I.%I another name.', x.schema_name, x.index_name)
          FROM ({indexes}) AS required (name, table_name, columns, predicate, comment)
         CROSS JOIN LATERAL ({index_places(required.name, required.table_name, required.columns, required.predicate)}) AS x
          JOIN pg_class AS c ON c.relnamespace = to_regnamespace(quote_ident(x.schema_name)) AND c.relname = x.index_name
         WHERE x.level > 0 AND x.index_oid IS NULL AND NOT x.is_served
        UNION ALL
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
        UNION ALL
        SELECT format('trigger %s on %s', t.tgname, c.relname),
               format('A trigger of the platform has the name of a trigger of sessiondb, %I.', t.tgname),
               format('Give it another name: ALTER TRIGGER %I ON %s RENAME TO %I',
                      t.tgname, c.oid::regclass, left('old_' || t.tgname, 63))
          FROM platform AS h
          JOIN pg_class AS root ON root.relnamespace = h.oid AND root.relname IN ('enrollments', 'submissions')
         CROSS JOIN LATERAL ({with_partitions(root.oid)}) AS node
          JOIN pg_class AS c ON c.oid = node.relid
          JOIN pg_trigger AS t ON t.tgrelid = c.oid AND t.tgparentid = 0
                              AND (t.tgname IN ('zzz_sessiondb_save', 'zzz_sessiondb_save_columns')
                                   OR ('trigger', root.relname::text, t.tgname::text) IN ({names}))
          JOIN pg_proc AS p ON p.oid = t.tgfoid
         WHERE p.pronamespace IS DISTINCT FROM to_regnamespace('sessiondb')
        UNION ALL
        -- compile() would replace part of such a name
        SELECT w.object,
               format('%s contains %s, which sessiondb replaces when it compiles its functions.', w.object, m.text[1]),
               w.fix
          FROM (
                SELECT format('Schema %I', h.nspname) AS object, h.nspname::text AS names,
                       format('ALTER SCHEMA %I RENAME TO another_name', h.nspname) AS fix
                  FROM platform AS h
                UNION ALL
                SELECT format('Course path %s', p.path), array_to_string(p.pieces, ' '), 'Rename that table, column or schema.'
                  FROM ({course_paths()}) AS p
               ) AS w
         CROSS JOIN LATERAL regexp_match(w.names,
                                         'course_of\(\w+\)|SET search_path FROM CURRENT|\m(?:staff_user|staff_roles|readers_of_\w+)\M') AS m (text)
         WHERE m.text IS NOT NULL
        UNION ALL
        SELECT p.oid::regprocedure::text,
               format('Function %s exists and belongs to %I, so role %I may not replace it.', p.oid::regprocedure,
                      pg_get_userbyid(p.proowner), current_user),
               -- another owner would give a SECURITY DEFINER function the rights of that role
               format('Inspect it, then drop it or give it another name: ALTER ROUTINE %s RENAME TO %I', p.oid::regprocedure, 'old_' || p.proname)
          FROM platform AS h
          JOIN pg_proc AS p ON p.pronamespace = h.oid AND p.proname = 'get_user_session_for_course'
          LEFT JOIN pg_class AS e ON e.relnamespace = h.oid AND e.relname = 'enrollments'
         WHERE oidvectortypes(p.proargtypes) = 'uuid, uuid'
           AND (NOT pg_has_role(p.proowner, 'USAGE')
                -- who may grant a role can give the current one its rights, and take them away again
                OR p.proowner NOT IN (
                    SELECT n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'sessiondb'
                    UNION ALL
{trusted_roles(e.relowner)}
                   ))
       ) AS f
 ORDER BY f.object
