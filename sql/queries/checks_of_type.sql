-- The functions and operators that the CHECKs of type $1 (an oid), a domain, call: catalog and OID.
SELECT e.refclassid AS classid, e.refobjid AS objid
  FROM pg_constraint AS k
  JOIN pg_depend AS e ON e.classid = 'pg_constraint'::regclass AND e.objid = k.oid AND e.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
 WHERE k.contypid = $1
