-- The table $1 (an oid), its partitions of every level, and the tables that inherit from it.
WITH RECURSIVE tree (relid) AS (
    SELECT $1::oid
     UNION
    SELECT i.inhrelid FROM tree AS t JOIN pg_inherits AS i ON i.inhparent = t.relid
)
SELECT t.relid FROM tree AS t
