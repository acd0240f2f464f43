-- Columns session_id that cannot be NULL, or cannot hold the session of any row, and tables to which it cannot be
-- added.
-- WITH: found (found_columns.sql)
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
       format('Domain %s, the type of column session_id of table %s, allows no NULL, but sessiondb stores rows without a '
              'session.', type_name, full_name),
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
       format('Foreign key %I of table %s is of session_id and other columns, so a row may be refused with the session that it is given.',
              k.conname, node.relid::regclass),
       format('Drop it, or refer by session_id alone: ALTER TABLE %s DROP CONSTRAINT %I', node.relid::regclass, k.conname)
  FROM found
 CROSS JOIN LATERAL ({with_partitions(table_oid)}) AS node
  JOIN pg_attribute AS a ON a.attrelid = node.relid AND a.attname = 'session_id' AND NOT a.attisdropped
  JOIN pg_constraint AS k ON k.conrelid = node.relid AND k.contype = 'f' AND k.conparentid = 0
                         AND cardinality(k.conkey) > 1 AND a.attnum = ANY (k.conkey)
 WHERE kind = 'link'
