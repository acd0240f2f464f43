-- Nothing of the platform depends on what a rollback drops: PostgreSQL would refuse to drop it when the rollback is half
-- done. The setting sessiondb.undone holds the numbers of the migrations to be undone. What depends on a dependent comes
-- before it, so the fixes can be run in this order.
--
-- Longer than a screen: what depends on ours and is in the way, then what is dropped together with ours.
WITH RECURSIVE
dropped AS (
{dropped_objects()}
),
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
),
dependent AS (
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
)
SELECT 'dependents' AS "check", f.level, f.object, f.detail, f.fix
  FROM (
        -- quoted, as pg_describe_object() is not: any role may have such a policy or trigger, and choose its name
        SELECT concat_ws(' ', i.type, i.identity) AS object, d.depth, 'error' AS level,
               format('The %s %s depends on the %s %s, which a rollback drops.', i.type, i.identity, w.type, w.identity) AS detail,
               CASE i.type
                   WHEN 'table column' THEN
                       format('Save its definition and drop it: ALTER TABLE %s DROP COLUMN %I', a.attrelid::regclass, a.attname)
                   WHEN 'table constraint' THEN
                       format('Save its definition and drop it: ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname)
                   WHEN 'domain constraint' THEN
                       format('Save its definition and drop it: ALTER DOMAIN %s DROP CONSTRAINT %I', k.contypid::regtype, k.conname)
                   WHEN 'default value' THEN
                       format('Remove it: ALTER TABLE %s ALTER COLUMN %I DROP DEFAULT', a.attrelid::regclass, a.attname)
                   WHEN 'publication relation' THEN
                       format('Remove the table: ALTER PUBLICATION %I DROP TABLE %s', b.pubname, br.prrelid::regclass)
                   ELSE format('%s: DROP %s %s',
                               CASE WHEN i.schema ~ '^pg_temp_' THEN format('It is of another session, of role %I. End that, or '
                                   'as that role', pg_get_userbyid(v.relowner))
                                    ELSE 'Save its definition and drop it' END,
                               upper(replace(i.type, 'statistics object', 'statistics')), i.identity)
                                   || CASE WHEN d.depth = 20 THEN ' CASCADE' ELSE '' END
               END AS fix
          FROM dependent AS d
         CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) AS i
         CROSS JOIN LATERAL pg_identify_object(d.on_classid, d.on_objid, d.on_objsubid) AS w
          LEFT JOIN pg_trigger AS t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
          LEFT JOIN pg_proc AS tf ON tf.oid = t.tgfoid
          LEFT JOIN pg_class AS v ON d.classid = 'pg_class'::regclass AND v.oid = d.objid
          LEFT JOIN pg_policy AS p ON d.classid = 'pg_policy'::regclass AND p.oid = d.objid
          LEFT JOIN pg_attrdef AS e ON d.classid = 'pg_attrdef'::regclass AND e.oid = d.objid
          LEFT JOIN pg_attribute AS a ON (a.attrelid, a.attnum) = (coalesce(e.adrelid, d.objid), coalesce(e.adnum, d.objsubid))
                                     AND i.type IN ('table column', 'default value')
          LEFT JOIN pg_constraint AS k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
          LEFT JOIN pg_publication_rel AS br ON d.classid = 'pg_publication_rel'::regclass AND br.oid = d.objid
          LEFT JOIN pg_publication AS b ON b.oid = br.prpubid
         -- ours are dropped first; what a partition has from its table is dropped with that
         WHERE (p.polname, (SELECT pc.relname FROM pg_class AS pc WHERE pc.oid = p.polrelid)) NOT IN (
                    SELECT o.name, o.parent FROM sessiondb.objects AS o WHERE o.kind = 'policy') IS NOT FALSE
           AND NOT coalesce(starts_with(t.tgname, 'zzz_sessiondb_') AND tf.pronamespace = to_regnamespace('sessiondb') OR t.tgparentid <> 0, false)
           AND k.conislocal IS NOT FALSE
           AND a.attislocal IS NOT FALSE
        UNION ALL
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
       ) AS f
 ORDER BY f.level, f.depth DESC, object, f.detail
