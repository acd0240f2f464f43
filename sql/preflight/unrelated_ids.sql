-- Ids that are compared with each other refer to the same table, or to tables of which foreign keys show that they have the same ids, such
-- as profiles of users. Else no row might ever be linked, or one of a user whose id another role chose to be that of a member.
WITH RECURSIVE
-- what user_id, org_id and course_id are compared with
compared (column_name, table_name, other_table, other_column) AS (
    VALUES ('user_id', 'enrollments', 'org_members', 'user_id'), ('user_id', 'submissions', 'org_members', 'user_id'),
           ('org_id', 'sessions', 'org_members', 'org_id'),
           ('course_id', 'sessions', 'courses', 'id'), ('course_id', 'enrollments', 'courses', 'id')
),
column_of AS (
    SELECT DISTINCT t.table_name, t.column_name, c.oid AS relid, a.attnum
      FROM (SELECT s.column_name, s.table_name FROM compared AS s
            UNION ALL
            SELECT s.other_column, s.other_table FROM compared AS s) AS t
      JOIN pg_namespace AS n ON n.nspname = current_setting('sessiondb.schema')
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.table_name AND c.relkind IN ('r', 'p')
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = t.column_name AND NOT a.attisdropped
),
-- the columns that have all values of a column: it refers to them, or they are the key to which it refers, in turn
origin AS (
    SELECT o.table_name, o.column_name, o.relid, o.attnum, 0 AS steps FROM column_of AS o
    UNION
    SELECT o.table_name, o.column_name, k.confrelid, p.to_attnum, o.steps + 1
      FROM origin AS o
      JOIN pg_constraint AS k ON k.contype = 'f' AND k.conrelid = o.relid AND k.conparentid = 0
     CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS p (from_attnum, to_attnum)
     WHERE p.from_attnum = o.attnum AND o.steps < 5
),
first_reference AS (
    SELECT DISTINCT ON (o.table_name, o.column_name) o.table_name, o.column_name, o.relid, o.relid::regclass::text AS full_name, a.attname AS key
      FROM origin AS o
      JOIN pg_attribute AS a ON a.attrelid = o.relid AND a.attnum = o.attnum
     WHERE o.steps = 1
     ORDER BY o.table_name, o.column_name, o.relid::regclass::text
)
SELECT 'unrelated_ids' AS "check", 'error' AS level, format('%I.%I.%I', current_setting('sessiondb.schema'), s.table_name, s.column_name) AS object,
       format('Column %I of table %s refers to table %s, and is compared with column %I of %s%s; no foreign key shows that they have the '
              'same ids.',
              s.column_name, s.table_name, r.full_name, s.other_column, s.other_table, ', which refers to ' || f.full_name) AS detail,
       format('Store the same ids there; or, if they are the same, show it: ALTER TABLE %1$s ADD FOREIGN KEY (%2$I) REFERENCES %3$s (%4$I)%5$s',
              r.full_name, r.key, coalesce(f.full_name, format('%I.%I', current_setting('sessiondb.schema'), s.other_table)),
              coalesce(f.key, s.other_column), CASE WHEN t.relkind = 'p' THEN '' ELSE ' NOT VALID' END) AS fix
  FROM compared AS s
  JOIN first_reference AS r ON (r.table_name, r.column_name) = (s.table_name, s.column_name)
  JOIN pg_class AS t ON t.oid = r.relid
  LEFT JOIN first_reference AS f ON (f.table_name, f.column_name) = (s.other_table, s.other_column)
 -- without a foreign key nothing is known of either
 WHERE (f.full_name IS NOT NULL OR s.other_column = 'id')
   AND EXISTS (SELECT FROM column_of AS c WHERE (c.table_name, c.column_name) = (s.other_table, s.other_column))
   AND NOT EXISTS (
        SELECT FROM origin AS a
          -- required_columns reports another column of the same table
          JOIN origin AS b ON b.relid = a.relid
         WHERE (a.table_name, a.column_name) = (s.table_name, s.column_name)
           AND (b.table_name, b.column_name) = (s.other_table, s.other_column))
UNION ALL
-- another user may have the same id, for instance in another tenant
SELECT 'unrelated_ids', 'error', format('%I.%I.user_id', current_setting('sessiondb.schema'), r.table_name),
       format('Column user_id of table %s refers, with other columns, to column %I of %s, which is not unique by itself.',
              r.table_name, r.key, r.full_name),
       format('Make it unique: CREATE UNIQUE INDEX%s ON %s (%I)', CASE WHEN t.relkind = 'p' THEN '' ELSE ' CONCURRENTLY' END, r.full_name, r.key)
  FROM first_reference AS r
  JOIN pg_class AS t ON t.oid = r.relid
 WHERE r.column_name = 'user_id'
   AND NOT EXISTS (
        SELECT FROM origin AS o
          JOIN pg_index AS i ON i.indrelid = o.relid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indnkeyatts = 1
                            AND i.indkey[0] = o.attnum
         WHERE (o.table_name, o.column_name) = (r.table_name, r.column_name) AND o.steps > 0)
 ORDER BY object
