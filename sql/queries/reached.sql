-- Object $2 of catalog $1 and all that it uses, itself or through what it uses: functions, operators, collations and types; the operators that
-- these negate or commute; the functions that operators, aggregates, types and the defaults of arguments name; the parts of types and the
-- CHECKs of domains; the relations that policies, rules and functions with a parsed body read, the types of their columns, their policies,
-- and what views of these read. What a function with a body in a string uses is not known.
WITH RECURSIVE reached (classid, objid, is_start) AS (
    SELECT $1::oid, $2::oid, true
     UNION
    SELECT e.classid, e.objid, false
      FROM reached AS r
     CROSS JOIN LATERAL (
            SELECT d.refclassid, d.refobjid
              FROM pg_depend AS d
             WHERE d.classid = r.classid AND d.objid = r.objid
               AND CASE d.refclassid
                       -- those of columns, and the one of which an array consists, are asked for otherwise
                       WHEN 'pg_type'::regclass THEN d.deptype <> 'i' AND NOT (d.classid = 'pg_class'::regclass AND d.objsubid > 0)
                       WHEN 'pg_class'::regclass THEN d.classid IN ('pg_policy'::regclass, 'pg_rewrite'::regclass, 'pg_proc'::regclass)
                       ELSE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass, 'pg_collation'::regclass)
                   END
            UNION ALL
            -- the planner may call the one for the other
            SELECT 'pg_operator'::regclass, v.oid
              FROM pg_operator AS o
              JOIN pg_operator AS v ON v.oid IN (o.oprnegate, o.oprcom)
             WHERE r.classid = 'pg_operator'::regclass AND o.oid = r.objid
            UNION ALL
            -- a cast of it, which its owner may create, is called where a row is written as JSON
            SELECT 'pg_type'::regclass, y.oid
              FROM pg_attribute AS a
              JOIN pg_type AS y ON y.oid = a.atttypid AND y.typnamespace <> 'pg_catalog'::regnamespace
             WHERE r.classid = 'pg_class'::regclass AND NOT r.is_start AND a.attrelid = r.objid AND a.attnum > 0 AND NOT a.attisdropped
            UNION ALL
            SELECT 'pg_type'::regclass, t.type_oid
              FROM (
{parts_of_type(r.objid)}
                   ) AS t
             WHERE r.classid = 'pg_type'::regclass
            UNION ALL
            SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint AS k WHERE r.classid = 'pg_type'::regclass AND k.contypid = r.objid
            UNION ALL
            SELECT 'pg_rewrite'::regclass, w.oid
              FROM pg_class AS v
              JOIN pg_rewrite AS w ON w.ev_class = v.oid
             WHERE r.classid = 'pg_class'::regclass AND v.oid = r.objid AND v.relkind = 'v'
            UNION ALL
            -- of a relation that is read on the way
            SELECT 'pg_policy'::regclass, p.oid FROM pg_policy AS p WHERE r.classid = 'pg_class'::regclass AND p.polrelid = r.objid AND NOT r.is_start
           ) AS e (classid, objid)
)
SELECT DISTINCT r.classid, r.objid FROM reached AS r
