-- Columns that the rules read and that are missing.
-- WITH: found (found_columns.sql)
SELECT format('%s.%I', full_name, column_name),
       format('Column %I of table %s does not exist.', column_name, full_name),
       CASE
           WHEN is_table AND table_name = 'enrollments' AND of_class IS NOT NULL AND to_regnamespace('sessiondb') IS NULL THEN
               format('Column %I refers to the class of the enrolment already, so sessiondb has nothing to add.', of_class)
           WHEN is_table AND column_like IS NOT NULL AND kind = 'uuid' AND type_like <> 'uuid' THEN
               format('Column %I may be it, but it is of type %s: sessiondb works with uuid identifiers only.', column_like, type_like)
           WHEN is_table AND column_like IS NOT NULL THEN
               format(CASE WHEN to_regnamespace('sessiondb') IS NULL THEN 'Column %1$I may be it. If so, rename it, also in the application: '
                           ELSE 'Column %1$I may be it. If so, restore its name: ' END || 'ALTER TABLE %2$s RENAME COLUMN %1$I TO %3$I',
                      column_like, full_name, column_name)
           WHEN is_table
               AND column_name = 'id' THEN 'If the uuid of a row is in another column, rename that; one that is added would be known to nothing else.'
           WHEN is_table AND to_regnamespace('sessiondb') IS NOT NULL THEN
               format(E'If it was renamed, restore its name: ALTER TABLE %1$s RENAME COLUMN OTHER TO %2$I\nOr, if it was dropped: '
                       'ALTER TABLE %1$s ADD COLUMN %2$I %3$s',
                      full_name, column_name, new_type)
           WHEN is_table AND kind = 'uuid' THEN
               format('%sIf it has another name, rename it; or, if the application can fill it: ALTER TABLE %s ADD COLUMN %I %s',
                      CASE WHEN table_name = 'sessions' AND column_name = 'org_id' THEN
                          'A student''s session is found through their organisation; sessions without one are not supported. ' END,
                      full_name, column_name, new_type)
           WHEN is_table THEN
               format('If it has another name, rename it, or add it: ALTER TABLE %s ADD COLUMN %I %s', full_name, column_name, new_type)
           ELSE format('Add it to view %s.', full_name)
       END
  FROM found
 CROSS JOIN LATERAL (SELECT CASE kind WHEN 'uuid' THEN 'uuid' WHEN 'time' THEN 'timestamptz DEFAULT pg_catalog.now()' ELSE 'text' END) AS n (new_type)
 WHERE is_usable
   AND column_name IS NOT NULL
   AND attname IS NULL
   AND kind <> 'link'
   AND NOT is_another
