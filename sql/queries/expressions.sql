-- The expressions that are evaluated when table $1 (an oid) is read or written, but for the conditions of triggers:
-- what they are of, its catalog and OID, and its definition.
SELECT format('%s %s', i.type, i.identity) AS object, i.type, e.classid, e.objid, e.definition
  FROM (
        SELECT 'pg_constraint'::regclass, k.oid, pg_get_constraintdef(k.oid)
          FROM pg_constraint AS k
         WHERE k.conrelid = $1 AND k.contype IN ('c', 'x')
        UNION ALL
        SELECT 'pg_constraint'::regclass, k.oid, pg_get_constraintdef(k.oid)
          FROM (
{types_of_columns($1)}
               ) AS t
          JOIN pg_constraint AS k ON k.contypid = t.type_oid
        UNION ALL
        SELECT 'pg_type'::regclass, y.oid, y.typdefault
          FROM (
{types_of_columns($1)}
               ) AS t
          JOIN pg_type AS y ON y.oid = t.type_oid AND y.typdefault IS NOT NULL
        UNION ALL
        SELECT 'pg_policy'::regclass, p.oid, concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
          FROM pg_policy AS p
         WHERE p.polrelid = $1
        UNION ALL
        SELECT 'pg_rewrite'::regclass, r.oid, pg_get_ruledef(r.oid)
          FROM pg_rewrite AS r
         WHERE r.ev_class = $1
        UNION ALL
        SELECT 'pg_attrdef'::regclass, d.oid, pg_get_expr(d.adbin, d.adrelid)
          FROM pg_attrdef AS d
         WHERE d.adrelid = $1
        UNION ALL
        SELECT 'pg_class'::regclass, x.indexrelid, pg_get_indexdef(x.indexrelid)
          FROM pg_index AS x
         WHERE x.indrelid = $1 AND (x.indexprs IS NOT NULL OR x.indpred IS NOT NULL)
        UNION ALL
        SELECT 'pg_statistic_ext'::regclass, s.oid, pg_get_statisticsobjdef(s.oid)
          FROM pg_statistic_ext AS s
         WHERE s.stxrelid = $1 AND s.stxexprs IS NOT NULL
        UNION ALL
        SELECT 'pg_class'::regclass, p.partrelid, pg_get_partkeydef(p.partrelid)
          FROM pg_partitioned_table AS p
         WHERE p.partrelid = $1 AND p.partexprs IS NOT NULL
       ) AS e (classid, objid, definition)
 CROSS JOIN LATERAL pg_identify_object(e.classid, e.objid, 0) AS i
