-- The tables of which rows are changed when our commands change rows in schema $1 (an oid), or rows of org_members or sessions are
-- deleted: directly, by foreign keys ON DELETE and ON UPDATE, by rules, and tables that the text of a trigger function names (not in
-- what it composes), whatever it does with them. Triggers there fire, too. From some of them rows are deleted,
-- or a key changes.
--
-- Names are looked for in functions and among tables of roles that are trusted: any other one could make a check take forever.
WITH RECURSIVE trusted AS MATERIALIZED (
    SELECT t.oid
      FROM (SELECT (SELECT c.relowner FROM pg_class AS c WHERE c.relnamespace = $1 AND c.relname = 'enrollments') AS oid) AS o
     CROSS JOIN LATERAL (
{trusted_roles(o.oid)}
           ) AS t
),
body AS MATERIALIZED (
    SELECT DISTINCT g.tgrelid AS relid, lower(left(p.prosrc, 100000)) AS text
      FROM pg_trigger AS g
      JOIN pg_proc AS p ON p.oid = g.tgfoid AND p.proowner IN (SELECT t.oid FROM trusted AS t)
     WHERE NOT g.tgisinternal AND p.pronamespace IS DISTINCT FROM to_regnamespace('sessiondb')
),
named AS MATERIALIZED (
    SELECT DISTINCT b.relid, c.oid AS named
      FROM body AS b
     CROSS JOIN LATERAL (
            SELECT DISTINCT m.word[1] FROM regexp_matches(b.text, '[^][[:space:]().,;:"''=<>+*/|!-]+', 'g') AS m (word)
             UNION
            SELECT m.word[1] FROM regexp_matches(b.text, '"([^"]+)"', 'g') AS m (word)
           ) AS w (word)
      JOIN pg_class AS c ON lower(c.relname) = w.word AND c.relkind IN ('r', 'p', 'v', 'f') AND NOT c.relispartition AND c.relpersistence <> 't'
     WHERE c.relowner IN (SELECT t.oid FROM trusted AS t)
       AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace, coalesce(to_regnamespace('sessiondb')::oid, 0))
),
changed (relid, attnum) AS (
    -- instead of a column, 0 if the row is deleted, -1 if it is inserted or named only, and -2 if any column may be changed
    SELECT c.oid, a.attnum
      FROM (VALUES ('orgs', -1, ''), ('org_members', 0, 'role'), ('sessions', 0, 'status'),
                   ('enrollments', -1, 'session_id'), ('submissions', -1, 'session_id')) AS w (table_name, otherwise, column_name)
      JOIN pg_class AS c ON c.relnamespace = $1 AND c.relname = w.table_name
     CROSS JOIN LATERAL (
            SELECT w.otherwise::smallint
             UNION ALL
            SELECT t.attnum FROM pg_attribute AS t WHERE t.attrelid = c.oid AND (t.attname = w.column_name OR t.attgenerated <> '') AND NOT t.attisdropped
           ) AS a (attnum)
     UNION
    SELECT f.relid, f.attnum
      FROM changed AS c
     CROSS JOIN LATERAL (
            SELECT k.conrelid, CASE WHEN c.attnum = 0 AND k.confdeltype = 'c' THEN 0 ELSE t.attnum END::smallint
              FROM pg_constraint AS k
              JOIN pg_attribute AS t ON t.attrelid = k.conrelid AND (t.attnum = ANY (k.conkey) OR t.attgenerated <> '') AND NOT t.attisdropped
             WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = c.relid
               AND (c.attnum IN (0, -2) AND k.confdeltype IN ('c', 'n', 'd')
                    OR k.confupdtype IN ('c', 'n', 'd') AND (
                        c.attnum = -2 OR c.attnum = ANY (k.confkey)
                        -- or a column that a trigger BEFORE each row sets
                        OR c.attnum > 0 AND EXISTS (
                            SELECT FROM pg_trigger AS b
                              JOIN pg_proc AS p ON p.oid = b.tgfoid
                              JOIN pg_attribute AS a ON a.attrelid = c.relid AND a.attnum = ANY (k.confkey)
                             WHERE b.tgrelid = c.relid AND b.tgtype & 3 = 3
                               AND p.prosrc ~* concat('\mNEW\s*\.\s*"?', regexp_replace(a.attname, '(\W)', '\\\1', 'g'), '"?\s*:?=|\mINTO\s[^;]*\mNEW\s*\.'))))
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
            UNION ALL
            SELECT d.named, (-1)::smallint FROM named AS d WHERE d.relid = c.relid
           ) AS f (relid, attnum)
)
SELECT c.relid,
       bool_or(c.attnum = 0 OR EXISTS (SELECT FROM pg_index AS x WHERE x.indrelid = c.relid AND x.indisunique AND c.attnum = ANY (x.indkey))) AS changes_keys
  FROM changed AS c
 -- partitions follow from their table
 WHERE NOT EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = c.relid AND i.inhparent IN (SELECT p.relid FROM changed AS p))
 GROUP BY c.relid
