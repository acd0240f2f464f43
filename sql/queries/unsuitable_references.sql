-- Columns that are compared with the id of a course or an organisation, and whose foreign key refers to another column of it; columns
-- user_id that refer to another column of a table than that of org_members; and ids that are not unique by themselves, so that two courses
-- or organisations may have the same.
-- WITH: found (found_columns.sql)
WITH reference AS (
    SELECT f.table_name, f.column_name, f.full_name, k.conname, k.confrelid AS to_table, b.attname AS to_column
      FROM found AS f
      JOIN pg_constraint AS k ON k.conrelid = f.table_oid AND k.contype = 'f' AND k.conparentid = 0
     CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS p (from_attnum, to_attnum)
      JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = p.from_attnum AND a.attname = f.attname
      JOIN pg_attribute AS b ON b.attrelid = k.confrelid AND b.attnum = p.to_attnum
     WHERE f.kind = 'uuid'
)
SELECT format('%s.%I', r.full_name, r.column_name),
       format('Column %I of table %s refers to column %I of %s, but is compared with column %I of it.',
              r.column_name, r.full_name, r.to_column, r.to_table::regclass, w.right_column),
       format('Store %I there instead, and let foreign key %I refer to it.', w.right_column, r.conname)
  FROM reference AS r
 CROSS JOIN LATERAL (
        SELECT 'id' AS right_column
          FROM (VALUES ('course_id', 'courses'), ('org_id', 'orgs')) AS c (column_name, table_name)
          JOIN found AS t ON t.table_name = c.table_name
         WHERE c.column_name = r.column_name AND t.table_oid = r.to_table AND t.attname IS NOT NULL
        UNION
        SELECT m.to_column
          FROM reference AS m
         WHERE r.column_name = 'user_id' AND (m.table_name, m.column_name, m.to_table) = ('org_members', 'user_id', r.to_table)
       ) AS w
 WHERE r.to_column <> w.right_column
UNION ALL
SELECT f.full_name || '.id', format('Column id of table %s is neither the primary key nor unique.', f.full_name),
       CASE WHEN c.relkind = 'p' THEN format('Make it unique: CREATE UNIQUE INDEX ON %s (id)', f.full_name)
            ELSE format('Make it unique: CREATE UNIQUE INDEX CONCURRENTLY ON %s (id)', f.full_name) END
  FROM found AS f
  JOIN pg_class AS c ON c.oid = f.table_oid AND c.relkind IN ('r', 'p')
  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = f.attname
 WHERE f.table_name IN ('orgs', 'courses') AND f.column_name = 'id'
   AND NOT EXISTS (
        SELECT FROM pg_index AS i
         WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum)
