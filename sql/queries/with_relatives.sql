-- Table $1 (an oid) and the tables whose owners can make code run where it is read or written: its partitions and those that inherit
-- from it, those of which it is a partition, because an index of theirs becomes one of its own, and what a view in its place reads.
WITH RECURSIVE below (relid) AS (
    SELECT $1
     UNION
    SELECT x.relid
      FROM below AS t
     CROSS JOIN LATERAL (
            SELECT i.inhrelid FROM pg_inherits AS i WHERE i.inhparent = t.relid
            UNION ALL
            SELECT d.refobjid
              FROM pg_class AS v
              JOIN pg_rewrite AS r ON r.ev_class = v.oid
              JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
             WHERE v.oid = t.relid AND v.relkind = 'v'
           ) AS x (relid)
),
above (relid) AS (
    SELECT $1
     UNION
    SELECT i.inhparent
      FROM above AS t
      JOIN pg_class AS k ON k.oid = t.relid AND k.relispartition
      JOIN pg_inherits AS i ON i.inhrelid = k.oid
)
SELECT b.relid FROM below AS b UNION SELECT a.relid FROM above AS a
