-- The code that what belongs to object $2 of catalog $1, a table or a type, uses: functions, operators, types and collations that its
-- triggers, rules, policies, constraints, defaults, indexes, statistics and casts name, and in turn the functions of these operators
-- and what the CHECKs of these types use. Each with what uses it, and the roles that may replace it.
--
-- What belongs to a table depends on it automatically or internally; the view of another role that reads it does not.
SELECT format('%s %s', i.type, i.identity) AS object, i.type, own.of_class, own.of_object, used.classid, used.objid, w.owner, w.namespace, w.how
  FROM (
        SELECT d.classid, d.objid, d.classid, d.objid
          FROM pg_depend AS d
         WHERE d.refclassid = $1 AND d.refobjid = $2 AND (d.deptype IN ('a', 'i') OR d.classid = 'pg_cast'::regclass)
        UNION
        -- the index of an EXCLUDE depends on the constraint
        SELECT 'pg_class'::regclass, k.conindid, 'pg_constraint'::regclass, k.oid FROM pg_constraint AS k WHERE $1 = 'pg_class'::regclass AND k.conrelid = $2 AND k.contype = 'x'
        UNION
        SELECT $1, $2, $1, $2
       ) AS own (classid, objid, of_class, of_object)
  JOIN pg_depend AS d ON d.classid = own.classid AND d.objid = own.objid
 CROSS JOIN LATERAL (
        SELECT d.refclassid, d.refobjid WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_collation'::regclass)
        UNION ALL
        SELECT c.classid, c.objid
          FROM (
{parts_of_type(d.refobjid)}
               ) AS t
         CROSS JOIN LATERAL (
                SELECT 'pg_type'::regclass, t.type_oid
                UNION ALL
{checks_of_type(t.type_oid)}
               ) AS c (classid, objid)
         -- not of columns nor arrays, whose types are asked for otherwise; a partition key is of the table itself, a default of the domain
         WHERE d.refclassid = 'pg_type'::regclass AND NOT (d.classid = 'pg_class'::regclass AND d.objsubid > 0 OR d.classid = 'pg_type'::regclass AND d.deptype = 'i')
       ) AS named (classid, objid)
 CROSS JOIN LATERAL (
        SELECT named.classid, named.objid
        UNION ALL
{functions_behind(named.classid, named.objid)}
       ) AS used (classid, objid)
 CROSS JOIN LATERAL (
{owners_of(used.classid, used.objid)}
       ) AS w
 CROSS JOIN LATERAL pg_identify_object(own.of_class, own.of_object, 0) AS i
