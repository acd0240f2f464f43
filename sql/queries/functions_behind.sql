-- The functions that run for object $2 of catalog $1: those that an operator or an aggregate names, and the functions and operators in
-- the defaults of a function's arguments or in its parsed body. Their owners may replace them.
SELECT 'pg_proc'::regclass AS classid, o.oprcode::oid AS objid FROM pg_operator AS o WHERE $1 = 'pg_operator'::regclass AND o.oid = $2
 UNION ALL
SELECT 'pg_proc'::regclass, f.oid::oid
  FROM pg_aggregate AS a
 CROSS JOIN LATERAL unnest(ARRAY[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn]) AS f (oid)
 WHERE $1 = 'pg_proc'::regclass AND a.aggfnoid = $2 AND f.oid <> 0
 UNION ALL
SELECT d.refclassid, d.refobjid
  FROM pg_depend AS d
 WHERE $1 = 'pg_proc'::regclass AND d.classid = 'pg_proc'::regclass AND d.objid = $2 AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
