-- Type $1 and those of which it consists, or to which its CHECKs cast: their input functions and CHECKs run with its own.
WITH RECURSIVE part (type_oid) AS (
    SELECT $1
     UNION
    SELECT o.oid
      FROM part AS p
      JOIN pg_type AS t ON t.oid = p.type_oid
     CROSS JOIN LATERAL (
            SELECT t.typelem
            UNION ALL
            SELECT t.typbasetype
            UNION ALL
            SELECT unnest(ARRAY[g.rngtypid, g.rngsubtype]) FROM pg_range AS g WHERE t.oid IN (g.rngtypid, g.rngmultitypid)
            UNION ALL
            SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
            UNION ALL
            SELECT e.refobjid
              FROM pg_constraint AS k
              JOIN pg_depend AS e ON e.classid = 'pg_constraint'::regclass AND e.objid = k.oid AND e.refclassid = 'pg_type'::regclass
             WHERE k.contypid = t.oid
           ) AS o (oid)
     WHERE o.oid <> 0
)
SELECT p.type_oid FROM part AS p
