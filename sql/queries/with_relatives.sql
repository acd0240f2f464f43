-- Table $1 (an oid) and the tables whose owners can make code run where it is read or written, or write its rows: its partitions
-- and those that inherit from it, those of which it is a partition or from which it inherits, because an index of theirs may
-- become one of its own, and what a view in its place reads.
WITH RECURSIVE relative (relid, is_above) AS (
    SELECT $1, false
     UNION
    SELECT x.relid, x.is_above
      FROM relative AS t
     CROSS JOIN LATERAL (
            SELECT i.inhparent, true FROM pg_inherits AS i WHERE i.inhrelid = t.relid
            UNION ALL
            SELECT i.inhrelid, false FROM pg_inherits AS i WHERE i.inhparent = t.relid AND NOT t.is_above
            UNION ALL
            SELECT d.refobjid, false
              FROM pg_class AS v
              JOIN pg_rewrite AS r ON r.ev_class = v.oid
              JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
             WHERE v.oid = t.relid AND v.relkind = 'v'
           ) AS x (relid, is_above)
)
SELECT DISTINCT t.relid FROM relative AS t
