-- session_id of both tables has a validated foreign key to sessions that sets it to NULL when a session is deleted.
SELECT 'foreign_keys' AS "check", f.level, f.object, f.detail, f.fix
  FROM (VALUES ('enrollments'::name), ('submissions'::name)) AS required (table_name)
 CROSS JOIN LATERAL (
        SELECT 'error' AS level,
               format('constraint %1$s.%1$s_session_id_fkey', required.table_name) AS object,
               format('The foreign key from %s.session_id to sessions is missing or not validated.', required.table_name) AS detail,
               'Run: sessiondb apply' AS fix
         WHERE EXISTS (SELECT FROM ({lacking_foreign_key(required.table_name)}) AS needed)
        UNION ALL
        SELECT 'warning',
               format('constraint %s.%s', required.table_name, k.conname),
               CASE
                   WHEN NOT k.convalidated THEN
                       format('The foreign key %s of %s is not validated, so existing rows may refer to deleted sessions.',
                              k.conname, required.table_name)
                   ELSE
                       format('Deleting a session does not set session_id of %s to NULL: %s', required.table_name, pg_get_constraintdef(k.oid))
               END,
               CASE
                   WHEN NOT k.convalidated THEN
                       format('ALTER TABLE %I.%I VALIDATE CONSTRAINT %I', n.nspname, c.relname, k.conname)
                   ELSE
                       'Replace the foreign key by one with ON DELETE SET NULL, if that is what you want.'
               END
          FROM pg_namespace AS n
          JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = required.table_name
          JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'session_id'
          JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.contype = 'f' AND k.conkey = ARRAY[a.attnum]
         WHERE n.nspname = current_setting('sessiondb.schema')
           AND (NOT k.convalidated OR k.confdeltype <> 'n')
           -- a key that is not enforced (PostgreSQL 18) does nothing and cannot be validated
           AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
           AND coalesce(obj_description(k.oid, 'pg_constraint'), '') NOT LIKE '%(sessiondb)'
           AND k.conparentid = 0
       ) AS f
 ORDER BY f.level, f.object
