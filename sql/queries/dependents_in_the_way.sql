-- What depends on the objects that a rollback drops, so that PostgreSQL would refuse it. Names are quoted, as
-- pg_describe_object() does not: any role may have such a policy or trigger, and choose its name.
-- WITH: dependent (what_depends.sql)
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
