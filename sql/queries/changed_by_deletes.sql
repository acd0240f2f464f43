-- The tables whose rows are changed, by their foreign keys, when rows of org_members or sessions of schema $1 (an oid) are deleted:
-- triggers there fire, too. From some of them rows are deleted.
WITH RECURSIVE changed (relid, is_deleted) AS (
    SELECT r.oid, true FROM pg_class AS r WHERE r.relnamespace = $1 AND r.relname IN ('org_members', 'sessions')
     UNION
    SELECT k.conrelid, c.is_deleted AND k.confdeltype = 'c'
      FROM changed AS c
      JOIN pg_constraint AS k ON k.contype = 'f' AND k.conparentid = 0 AND k.confdeltype IN ('c', 'n', 'd') AND k.confrelid = c.relid
)
SELECT c.relid, bool_or(c.is_deleted) AS is_deleted FROM changed AS c GROUP BY c.relid
