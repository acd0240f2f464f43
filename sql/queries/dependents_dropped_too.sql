-- What PostgreSQL drops together with the objects that a rollback drops.
-- WITH: dropped (dropped_objects.sql)
SELECT concat_ws(' ', i.type, i.identity), 0, 'warning',
       format('The %s %s is dropped together with the %s %s.', i.type, i.identity, w.type, w.identity),
       format('Save its definition to create it again after another apply: %s',
              coalesce(pg_get_constraintdef(k.oid), pg_get_expr(e.adbin, e.adrelid), pg_get_indexdef(c.oid), pg_get_statisticsobjdef(s.oid)))
  FROM dropped AS d
  JOIN pg_depend AS g ON (g.refclassid, g.refobjid, g.refobjsubid) = (d.classid, d.objid, d.objsubid) AND g.deptype = 'a'
 CROSS JOIN LATERAL pg_identify_object(g.classid, g.objid, g.objsubid) AS i
 CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) AS w
  LEFT JOIN pg_class AS c ON g.classid = 'pg_class'::regclass AND c.oid = g.objid AND NOT c.relispartition
  LEFT JOIN pg_attrdef AS e ON e.adrelid = c.oid AND e.adnum = g.objsubid
  LEFT JOIN pg_constraint AS k ON g.classid = 'pg_constraint'::regclass AND k.oid = g.objid AND k.conislocal
  LEFT JOIN pg_statistic_ext AS s ON g.classid = 'pg_statistic_ext'::regclass AND s.oid = g.objid
 WHERE d.objsubid > 0
   AND NOT EXISTS (
        SELECT FROM sessiondb.objects AS o
         WHERE o.kind IN ('constraint', 'index') AND o.origin <> 'found' AND o.name IN (c.relname, k.conname))
   AND coalesce(k.oid, c.oid, s.oid) IS NOT NULL
