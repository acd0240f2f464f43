-- Columns of a type that the rules cannot work with.
-- WITH: found (found_columns.sql)
SELECT format('%s.%I', full_name, column_name),
       format('Column %I of table %s is of type %s, not uuid.', column_name, full_name, type_name),
       CASE
           WHEN kind = 'link' AND attgenerated = '' AND base_type IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype) THEN format(
               E'If it holds sessions, rewrite it under ACCESS EXCLUSIVE: ALTER TABLE %1$s ALTER COLUMN session_id DROP DEFAULT,'
               ' ALTER COLUMN session_id TYPE uuid USING session_id::uuid\n'
               'If it holds something else, rename it: ALTER TABLE %1$s RENAME COLUMN session_id TO old_session_id',
               full_name)
           WHEN kind = 'link' THEN format(
               'It is used for something else; rename it: ALTER TABLE %s RENAME COLUMN session_id TO old_session_id',
               full_name)
           ELSE 'sessiondb works with uuid identifiers only.'
       END
  FROM found
 WHERE kind IN ('uuid', 'link')
   AND attname IS NOT NULL
   AND base_type <> 'uuid'::regtype
UNION ALL
SELECT format('%s.%I', full_name, column_name),
       format('Column %I of table %s is of type %s, which is not a date or timestamp.', column_name, full_name, type_name),
       format(CASE WHEN base_type IN ('int4'::regtype, 'int8'::regtype, 'float8'::regtype, 'numeric'::regtype) THEN
                  'If it counts seconds since 1970: ALTER TABLE %1$s ALTER COLUMN %2$I DROP DEFAULT, '
                  'ALTER COLUMN %2$I TYPE timestamptz USING pg_catalog.to_timestamp(%2$I), ALTER COLUMN %2$I SET DEFAULT pg_catalog.now()'
              ELSE 'Change it: ALTER TABLE %1$s ALTER COLUMN %2$I DROP DEFAULT, '
                   'ALTER COLUMN %2$I TYPE timestamptz USING %2$I::timestamptz, ALTER COLUMN %2$I SET DEFAULT pg_catalog.now()' END,
              full_name, column_name)
  FROM found
 WHERE kind = 'time'
   AND attname IS NOT NULL
   AND base_type NOT IN ('timestamptz'::regtype, 'timestamp'::regtype, 'date'::regtype)
UNION ALL
SELECT format('%s.%I', full_name, column_name),
       format('Column %I of table %s is of type %s, not text, varchar or an enum.', column_name, full_name, type_name),
       format('Change it: ALTER TABLE %s ALTER COLUMN %I TYPE text', full_name, column_name)
  FROM found
 WHERE kind = 'status'
   AND attname IS NOT NULL
   AND typtype <> 'e'
   AND base_type NOT IN ('text'::regtype, 'varchar'::regtype)
