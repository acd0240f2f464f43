-- The tables and columns that the rules read exist and have suitable types. Of organisations only the id is needed, and a
-- view suffices: a name and a slug are read if they exist.
--
-- Tables and columns under another name are reported, because no application fills a column that is added only for
-- sessiondb.
--
-- Longer than a screen: a branch for each way in which a table or column can be missing or unsuitable.
WITH found AS (
{found_columns()}
)
SELECT DISTINCT 'required_columns' AS "check", 'error' AS level, f.object, f.detail, f.fix
  FROM (
        SELECT full_name AS object,
               format('Table %s does not exist.', full_name) AS detail,
               CASE
                   WHEN id_type <> 'uuid'::regtype THEN
                       format('%s may be it, but its id is of type %s: sessiondb works with uuid identifiers only.', table_like, id_type)
                   WHEN table_like IS NOT NULL AND table_name = 'orgs' THEN
                       format('%s may be it. If its id is a uuid, a view is enough: CREATE VIEW %s AS SELECT * FROM %s', tables_like, full_name, table_like)
                   WHEN table_like IS NOT NULL THEN
                       format('%s may be it. If %s, rename it and give the application a view with the old name: ALTER TABLE %s RENAME TO %I',
                              tables_like, CASE tables_like WHEN table_like THEN 'so' ELSE format('it is %s', table_like) END, table_like, table_name)
                   WHEN table_name = 'orgs' THEN 'Create it, or a view of that name that shows the id, name and slug of each organisation.'
                   ELSE 'Create it, or name the schema that has it with --schema.'
               END AS fix
          FROM found
         WHERE table_oid IS NULL
        UNION ALL
        SELECT full_name,
               format('%s is not a table.', full_name),
               format('Triggers and foreign keys need a table; name the schema that has the table %I with --schema.', table_name)
          FROM found
         WHERE NOT is_usable
        UNION ALL
        SELECT full_name,
               format('Table %s does not hold training sessions of organisations in courses: it has %s%s.',
                      full_name, CASE WHEN has_org THEN 'no course_id' ELSE 'neither org_id nor course_id' END, ', but ' || of_logins || ', as logins have'),
               'Do not add columns to it. Name the schema of the right table with --schema, or rename this table and create the right one.'
               || coalesce(' ' || tables_like || ' may be it.', '')
          FROM found
         WHERE is_another
        UNION ALL
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
                   WHEN is_table AND column_name = 'id' THEN 'If the uuid of a row is in another column, rename that; one that is added would be known to nothing else.'
                   WHEN is_table AND to_regnamespace('sessiondb') IS NOT NULL THEN
                       format(E'If it was renamed, restore its name: ALTER TABLE %1$s RENAME COLUMN OTHER TO %2$I\nOr, if it was dropped: ALTER TABLE %1$s ADD COLUMN %2$I %3$s',
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
        UNION ALL
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
               format('Column session_id of table %s is %s, but sessiondb stores rows without a session.', full_name, m.misfit),
               format('ALTER TABLE %s ALTER COLUMN session_id DROP %s', full_name, m.part)
          FROM found
         CROSS JOIN LATERAL (
                SELECT 'NOT NULL' AS misfit, 'NOT NULL' AS part WHERE attnotnull
                UNION ALL
                SELECT 'generated', 'EXPRESSION' WHERE attgenerated <> ''
                UNION ALL
                SELECT 'one with a default', 'DEFAULT' WHERE atthasdef AND attgenerated = ''
               ) AS m
         WHERE kind = 'link'
           -- a column of another type must be renamed anyway
           AND base_type IN ('uuid'::regtype, 'text'::regtype, 'varchar'::regtype, 'bpchar'::regtype)
        UNION ALL
        SELECT format('%s.%I', full_name, column_name),
               format('Constraint %I of table %s %s.', k.conname, node.relid::regclass, m.misfit),
               format('Drop it: ALTER TABLE %s DROP CONSTRAINT %I', node.relid::regclass, k.conname)
          FROM found
         CROSS JOIN LATERAL ({with_partitions(table_oid)}) AS node
          JOIN pg_constraint AS k ON k.conrelid = node.relid AND k.contype = 'c' AND k.coninhcount = 0
          -- by relid: k.conrelid would read, and wait for, the tables of all constraints
          JOIN (VALUES ('(session_id IS NOT NULL)', 'requires a session, but sessiondb stores rows without one'),
                       ('(session_id IS NULL)', 'refuses rows with a session')) AS m (expression, misfit) ON m.expression = pg_get_expr(k.conbin, node.relid)
         WHERE kind = 'link'
        UNION ALL
        SELECT format('%s.%I', full_name, column_name),
               format('Domain %s, the type of column session_id of table %s, allows no NULL, but sessiondb stores rows without a session.', type_name, full_name),
               format('Give the column another type: ALTER TABLE %s ALTER COLUMN session_id TYPE uuid', full_name)
          FROM found
          JOIN pg_attribute AS a ON a.attrelid = table_oid AND a.attname = 'session_id' AND NOT a.attisdropped
          JOIN pg_type AS y ON y.oid = a.atttypid AND y.typtype = 'd'
         WHERE kind = 'link'
           AND (y.typnotnull OR EXISTS (
                    SELECT FROM pg_constraint AS k WHERE k.contypid = y.oid AND pg_get_constraintdef(k.oid) LIKE '%(VALUE IS NOT NULL)%'))
        UNION ALL
        -- evaluated after our triggers have given the row a session
        SELECT format('%s.%I', full_name, column_name),
               format('Policy %I of table %s refuses rows with a session, also those that sessiondb links.', p.polname, full_name),
               format('A session that does not fit a row is refused without it. Drop it, or change it: DROP POLICY %I ON %s', p.polname, full_name)
          FROM found
          JOIN pg_policy AS p ON p.polrelid = table_oid AND p.polcmd IN ('a', 'w', '*')
         WHERE kind = 'link'
           AND pg_get_expr(p.polwithcheck, table_oid) ~ '^\(session_id IS NULL\)$|^\(\(session_id IS NULL\) AND [^O]|AND \(session_id IS NULL\)\)$'
        UNION ALL
        -- MaxHeapAttributeNumber; each apply after a rollback needs another one
        SELECT format('%s', c.oid::regclass),
               format('Table %s has had 1600 columns, also counting those that were dropped, and no other can be added.', c.oid::regclass),
               format('Copy it to a new table, which begins to count at its present ones: CREATE TABLE new_table (LIKE %s INCLUDING ALL)', c.oid::regclass)
          FROM found
          JOIN pg_class AS c ON c.oid = table_oid OR c.oid IN (SELECT t.relid FROM pg_partition_tree(table_oid) AS t)
         WHERE kind = 'link'
           AND is_usable
           AND attname IS NULL
           AND c.relnatts >= 1600
        UNION ALL
        -- PostgreSQL moves no row to another partition in a BEFORE trigger
        SELECT format('%s.%I', full_name, column_name),
               format('Table %s is partitioned by session_id, and no trigger can give a row a session there.', t.partrelid::regclass),
               'Partition it by another column.'
          FROM found
         CROSS JOIN LATERAL ({with_partitions(table_oid)}) AS node
          JOIN pg_partitioned_table AS t ON t.partrelid = node.relid
          JOIN pg_attribute AS a ON a.attrelid = node.relid AND a.attname = 'session_id' AND NOT a.attisdropped
         WHERE kind = 'link'
           AND (a.attnum = ANY (t.partattrs) OR pg_get_partkeydef(t.partrelid) LIKE '%session_id%')
        UNION ALL
        SELECT format('%s.%I', full_name, column_name),
               format('Index %I of table %s allows only one row per session, but a session has many rows.', i.relname, full_name),
               CASE
                   WHEN k.conname IS NULL THEN format('Drop it: DROP INDEX CONCURRENTLY %I.%I', n.nspname, i.relname)
                   ELSE format('Drop it: ALTER TABLE %s DROP CONSTRAINT %I', full_name, k.conname)
               END
          FROM found
          JOIN pg_index AS x ON x.indrelid = table_oid AND (x.indisunique OR x.indisexclusion) AND x.indnkeyatts = 1
          JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0] AND a.attname = 'session_id'
          JOIN pg_class AS i ON i.oid = x.indexrelid
          JOIN pg_namespace AS n ON n.oid = i.relnamespace
          LEFT JOIN pg_constraint AS k ON k.conindid = x.indexrelid AND k.contype IN ('u', 'x')
         WHERE kind = 'link'
        UNION ALL
        SELECT format('%s.%I', full_name, column_name),
               format('Column %I of table %s is of type %s, which is not a date or timestamp.', column_name, full_name, type_name),
               format(CASE WHEN base_type IN ('int4'::regtype, 'int8'::regtype, 'float8'::regtype, 'numeric'::regtype) THEN
                          'If it counts seconds since 1970: ALTER TABLE %1$s ALTER COLUMN %2$I DROP DEFAULT, ALTER COLUMN %2$I TYPE timestamptz USING pg_catalog.to_timestamp(%2$I), ALTER COLUMN %2$I SET DEFAULT pg_catalog.now()'
                      ELSE 'Change it: ALTER TABLE %1$s ALTER COLUMN %2$I DROP DEFAULT, ALTER COLUMN %2$I TYPE timestamptz USING %2$I::timestamptz, ALTER COLUMN %2$I SET DEFAULT pg_catalog.now()' END,
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
       ) AS f
 ORDER BY f.object, f.detail
