-- The tables of which rows are changed when our commands change rows in schema $1 (an oid), or rows of org_members or sessions are
-- deleted: directly, or by foreign keys ON DELETE and ON UPDATE. Triggers there fire, too. From some of them rows are deleted.
WITH RECURSIVE changed (relid, attnum) AS (
    -- column 0: the row is deleted
    SELECT c.oid, a.attnum
      FROM (VALUES ('org_members', ''), ('sessions', ''), ('org_members', 'role'), ('sessions', 'status'),
                   ('enrollments', 'session_id'), ('submissions', 'session_id')) AS w (table_name, column_name)
      JOIN pg_class AS c ON c.relnamespace = $1 AND c.relname = w.table_name
     CROSS JOIN LATERAL (
            SELECT 0::smallint WHERE w.column_name = ''
             UNION ALL
            SELECT t.attnum FROM pg_attribute AS t WHERE t.attrelid = c.oid AND (t.attname = w.column_name OR t.attgenerated <> '') AND NOT t.attisdropped
           ) AS a (attnum)
     UNION
    SELECT k.conrelid, CASE WHEN c.attnum = 0 AND k.confdeltype = 'c' THEN 0 ELSE u.attnum END::smallint
      FROM changed AS c
      JOIN pg_constraint AS k
        ON k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = c.relid
       AND (c.attnum = 0 AND k.confdeltype IN ('c', 'n', 'd') OR c.attnum = ANY (k.confkey) AND k.confupdtype IN ('c', 'n', 'd'))
     CROSS JOIN LATERAL (
            SELECT t.attnum FROM pg_attribute AS t WHERE t.attrelid = k.conrelid AND (t.attnum = ANY (k.conkey) OR t.attgenerated <> '') AND NOT t.attisdropped
           ) AS u (attnum)
)
SELECT c.relid, bool_or(c.attnum = 0) AS is_deleted FROM changed AS c GROUP BY c.relid
