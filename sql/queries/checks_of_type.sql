-- The functions and operators that the CHECKs of type $1 (an oid), a domain, call, and the functions of these: catalog and OID.
SELECT f.classid, f.objid
  FROM pg_constraint AS k
  JOIN pg_depend AS e ON e.classid = 'pg_constraint'::regclass AND e.objid = k.oid AND e.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
 CROSS JOIN LATERAL (
        SELECT e.refclassid, e.refobjid
        UNION ALL
{functions_behind(e.refclassid, e.refobjid)}
       ) AS f (classid, objid)
 WHERE k.contypid = $1
