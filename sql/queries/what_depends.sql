-- What depends on the objects that a rollback drops, and how many others depend on it in turn.
-- WITH: dropped (dropped_objects.sql)
WITH RECURSIVE
-- pg_depend: n prevents the drop, i belongs to what it depends on
found (classid, objid, objsubid, on_classid, on_objid, on_objsubid, deptype) AS (
    SELECT d.classid, d.objid, d.objsubid, NULL::oid, NULL::oid, NULL::integer, NULL::"char"
      FROM dropped AS d
     WHERE d.objid IS NOT NULL
    UNION
    SELECT x.classid, x.objid, x.objsubid, f.classid, f.objid, f.objsubid, d.deptype
      FROM found AS f
      JOIN pg_depend AS d ON d.refclassid = f.classid AND d.refobjid = f.objid
                         AND (f.objsubid = 0 OR d.refobjsubid = f.objsubid)
                         AND d.deptype IN ('n', 'i')
      LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid AND r.rulename = '_RETURN'
      LEFT JOIN pg_attrdef AS e ON d.classid = 'pg_attrdef'::regclass AND e.oid = d.objid
      LEFT JOIN pg_attribute AS a ON a.attrelid = e.adrelid AND a.attnum = e.adnum AND a.attgenerated <> ''
      -- a view depends by its rule, a generated column by its expression (itself before PostgreSQL 15)
     CROSS JOIN LATERAL (
            SELECT 'pg_class'::regclass::oid AS classid, r.ev_class AS objid, 0 AS objsubid WHERE r.oid IS NOT NULL
            UNION ALL
            SELECT 'pg_class'::regclass, a.attrelid, a.attnum WHERE a.attnum IS NOT NULL
            UNION ALL
            SELECT d.classid, d.objid, d.objsubid WHERE r.oid IS NULL AND a.attnum IS NULL
           ) AS x
     WHERE (x.classid, x.objid, x.objsubid) <> (f.classid, f.objid, f.objsubid)
       -- what is in schema sessiondb goes first
       AND NOT (f.classid = 'pg_namespace'::regclass AND EXISTS (
            SELECT
              FROM (
{owned()}
                   ) AS h
             WHERE h.classid = d.classid AND h.objid = d.objid AND h.namespace = f.objid))
),
-- two functions with parsed bodies may depend on each other, so the order ends at some depth
place (classid, objid, objsubid, depth) AS (
    SELECT d.classid, d.objid, d.objsubid, 0 FROM dropped AS d
    UNION
    SELECT f.classid, f.objid, f.objsubid, p.depth + 1
      FROM place AS p
      JOIN found AS f ON (f.on_classid, f.on_objid, f.on_objsubid) = (p.classid, p.objid, p.objsubid)
     WHERE p.depth < 20
)
SELECT DISTINCT ON (f.classid, f.objid, f.objsubid) f.*, (
        SELECT max(p.depth) FROM place AS p WHERE (p.classid, p.objid, p.objsubid) = (f.classid, f.objid, f.objsubid)) AS depth
  FROM found AS f
 WHERE f.deptype = 'n'
   AND NOT EXISTS (SELECT FROM dropped AS d WHERE (d.classid, d.objid, d.objsubid) = (f.classid, f.objid, f.objsubid))
   -- pg_depend: such dependents are dropped silently, and are reported below
   AND NOT EXISTS (
        SELECT FROM pg_depend AS g
          JOIN dropped AS d ON (d.classid, d.objid) = (g.refclassid, g.refobjid) AND d.objsubid IN (0, g.refobjsubid)
         WHERE (g.classid, g.objid, g.objsubid) = (f.classid, f.objid, f.objsubid) AND g.deptype = 'a')
 ORDER BY f.classid, f.objid, f.objsubid, f.on_classid, f.on_objid
