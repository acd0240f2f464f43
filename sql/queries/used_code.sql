-- The code that what belongs to object $2 of catalog $1, a table or a type, uses, itself or through other objects: its triggers, rules,
-- policies, constraints, defaults, indexes, statistics and casts. Each with what uses it, and the roles that may replace it.
--
-- What belongs to a table depends on it automatically or internally; the view of another role that reads it does not.
SELECT format('%s %s', i.type, i.identity) AS object, i.type, own.of_class, own.of_object, used.classid, used.objid, w.owner, w.namespace, w.how
  FROM (
        SELECT d.classid, d.objid, d.classid, d.objid
          FROM pg_depend AS d
         WHERE d.refclassid = $1 AND d.refobjid = $2 AND (d.deptype IN ('a', 'i') OR d.classid = 'pg_cast'::regclass)
           -- arrays, the type of a row, and the cast of a range type to its multirange type
           AND NOT (d.classid IN ('pg_type'::regclass, 'pg_cast'::regclass) AND d.deptype = 'i')
        UNION
        -- the index of an EXCLUDE depends on the constraint
        SELECT 'pg_class'::regclass, k.conindid, 'pg_constraint'::regclass, k.oid FROM pg_constraint AS k
            WHERE $1 = 'pg_class'::regclass AND k.conrelid = $2 AND k.contype = 'x'
        UNION
        SELECT $1, $2, $1, $2 WHERE $1 = 'pg_class'::regclass
        UNION
        -- a type itself: its default, since its parts are asked for themselves, as are its CHECKs
        SELECT d.refclassid, d.refobjid, $1, $2
          FROM pg_type AS t
          JOIN pg_depend AS d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype <> 'i' AND d.refobjid <> t.typbasetype
         WHERE $1 = 'pg_type'::regclass AND t.oid = $2
           AND d.refclassid IN ('pg_type'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass, 'pg_collation'::regclass)
       ) AS own (classid, objid, of_class, of_object)
 CROSS JOIN LATERAL (
{reached(own.classid, own.objid)}
       ) AS used
 CROSS JOIN LATERAL (
{owners_of(used.classid, used.objid)}
       ) AS w
 CROSS JOIN LATERAL pg_identify_object(own.of_class, own.of_object, 0) AS i
 WHERE (used.classid, used.objid) <> (own.of_class::oid, own.of_object)
