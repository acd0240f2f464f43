-- The tables whose rows are changed, by their foreign keys, when rows of $1 or $2 (oids) are deleted: triggers there fire, too.
WITH RECURSIVE changed (relid) AS (
    SELECT k.conrelid FROM pg_constraint AS k WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confdeltype IN ('c', 'n', 'd') AND k.confrelid IN ($1, $2)
     UNION
    SELECT k.conrelid
      FROM changed AS c
      JOIN pg_constraint AS k ON k.contype = 'f' AND k.conparentid = 0 AND k.confdeltype IN ('c', 'n', 'd') AND k.confrelid = c.relid
)
SELECT c.relid FROM changed AS c
