-- The tables of which rows are changed when our commands change rows in schema $1 (an oid), or rows of org_members or sessions are
-- deleted: directly, by foreign keys ON DELETE and ON UPDATE, and by rules. Triggers there fire, too. From some of them rows are deleted,
-- or a key changes. What functions of the platform write to is not known.
WITH RECURSIVE trusted AS MATERIALIZED (
    SELECT t.oid
      FROM (SELECT (SELECT c.relowner FROM pg_class AS c WHERE c.relnamespace = $1 AND c.relname = 'enrollments'
                    AND c.relkind IN ('r', 'p')) AS oid) AS o
     CROSS JOIN LATERAL (
{trusted_roles(o.oid)}
           ) AS t
),
changed (relid, attnum) AS (
    -- instead of a column, 0 if the row is deleted, -1 if it is inserted, and -2 if any column may be changed
    SELECT c.oid, a.attnum
      FROM (VALUES ('orgs', -1, ''), ('org_members', 0, 'role'), ('sessions', 0, 'status'),
                   ('enrollments', -1, 'session_id'), ('submissions', -1, 'session_id')) AS w (table_name, otherwise, column_name)
      JOIN pg_class AS c ON c.relnamespace = $1 AND c.relname = w.table_name
     CROSS JOIN LATERAL (
            SELECT w.otherwise::smallint
             UNION ALL
            SELECT t.attnum FROM pg_attribute AS t WHERE t.attrelid = c.oid
                AND (t.attname = w.column_name OR t.attgenerated <> '') AND NOT t.attisdropped
           ) AS a (attnum)
     UNION
    SELECT f.relid, f.attnum
      FROM changed AS c
      -- what follows from a table of a role that is not trusted is that role's, and could be endless
      JOIN pg_class AS o ON o.oid = c.relid AND o.relowner IN (SELECT t.oid FROM trusted AS t)
     CROSS JOIN LATERAL (
            SELECT k.conrelid, CASE WHEN c.attnum = 0 AND k.confdeltype = 'c' THEN 0 ELSE t.attnum END::smallint
              FROM pg_constraint AS k
              JOIN pg_attribute AS t ON t.attrelid = k.conrelid AND (t.attnum = ANY (k.conkey) OR t.attgenerated <> '') AND NOT t.attisdropped
             WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = c.relid
               AND (c.attnum IN (0, -2) AND k.confdeltype IN ('c', 'n', 'd')
                    OR k.confupdtype IN ('c', 'n', 'd') AND (c.attnum = -2 OR c.attnum = ANY (k.confkey)))
            UNION ALL
            -- a foreign key may refer to a partition alone
            SELECT i.inhrelid, coalesce(t.attnum, c.attnum)
              FROM pg_inherits AS i
              LEFT JOIN pg_attribute AS p ON p.attrelid = c.relid AND p.attnum = c.attnum
              LEFT JOIN pg_attribute AS t ON t.attrelid = i.inhrelid AND t.attname = p.attname
             WHERE i.inhparent = c.relid
            UNION ALL
            -- also of a view that is written to
            SELECT d.refobjid, CASE WHEN r.ev_type = '1' THEN c.attnum ELSE (-2)::smallint END
              FROM pg_rewrite AS r
              JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
             WHERE r.ev_class = c.relid
           ) AS f (relid, attnum)
)
SELECT c.relid,
       bool_or(c.attnum IN (0, -2) OR EXISTS (
                   SELECT FROM pg_index AS x WHERE x.indrelid = c.relid AND x.indisunique AND c.attnum = ANY (x.indkey))) AS changes_keys
  FROM changed AS c
 -- partitions follow from their table
 WHERE NOT EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = c.relid AND i.inhparent IN (SELECT p.relid FROM changed AS p))
 GROUP BY c.relid
