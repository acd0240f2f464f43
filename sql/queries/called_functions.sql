-- The functions that what belongs to object $2 of catalog $1, a table or a type, calls: its triggers, rules, policies,
-- constraints, defaults, indexes, statistics and casts.
--
-- What belongs to a table depends on it automatically or internally; the view of another role that reads it does not.
SELECT format('%s %s', i.type, i.identity) AS object, i.type, p.oid
  FROM (
        SELECT d.classid, d.objid
          FROM pg_depend AS d
         WHERE d.refclassid = $1 AND d.refobjid = $2 AND (d.deptype IN ('a', 'i') OR d.classid = 'pg_cast'::regclass)
        UNION
        SELECT $1, $2
       ) AS own
  JOIN pg_depend AS d ON d.classid = own.classid AND d.objid = own.objid
  LEFT JOIN pg_operator AS o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
 CROSS JOIN LATERAL (
        SELECT CASE d.refclassid WHEN 'pg_operator'::regclass THEN o.oprcode WHEN 'pg_proc'::regclass THEN d.refobjid END
        UNION ALL
        -- in the CHECK of a domain, or of one of which another type consists
        SELECT c.refobjid
          FROM (
{parts_of_type(d.refobjid)}
               ) AS t
          JOIN pg_constraint AS k ON k.contypid = t.type_oid
          JOIN pg_depend AS c ON c.classid = 'pg_constraint'::regclass AND c.objid = k.oid AND c.refclassid = 'pg_proc'::regclass
         WHERE d.refclassid = 'pg_type'::regclass AND d.classid NOT IN ('pg_class'::regclass, 'pg_type'::regclass)
       ) AS called (oid)
  JOIN pg_proc AS p ON p.oid = called.oid
 CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) AS i
