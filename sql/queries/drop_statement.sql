-- The statement that drops object $2 (an oid) of catalog $1, which belongs to a table or a type and uses code; NULL for another kind.
SELECT CASE $1
           WHEN 'pg_trigger'::regclass THEN (SELECT format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass)
                                             FROM pg_trigger AS t WHERE t.oid = $2)
           WHEN 'pg_policy'::regclass THEN (SELECT format('DROP POLICY %I ON %s', p.polname, p.polrelid::regclass)
                                            FROM pg_policy AS p WHERE p.oid = $2)
           WHEN 'pg_rewrite'::regclass THEN (SELECT format('DROP RULE %I ON %s', r.rulename, r.ev_class::regclass)
                                             FROM pg_rewrite AS r WHERE r.oid = $2)
           WHEN 'pg_constraint'::regclass THEN (
               SELECT format('ALTER %s DROP CONSTRAINT %I', CASE k.contypid WHEN 0 THEN format('TABLE %s', k.conrelid::regclass)
                             ELSE format('DOMAIN %s', k.contypid::regtype) END, k.conname)
                 FROM pg_constraint AS k WHERE k.oid = $2)
           WHEN 'pg_attrdef'::regclass THEN (
               SELECT format(CASE a.attgenerated WHEN '' THEN 'ALTER TABLE %s ALTER %I DROP DEFAULT'
                             WHEN 's' THEN 'ALTER TABLE %s ALTER %I DROP EXPRESSION'
                             ELSE 'ALTER TABLE %s DROP COLUMN %I' END, a.attrelid::regclass, a.attname)
                 FROM pg_attrdef AS d JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.oid = $2)
           WHEN 'pg_type'::regclass THEN (SELECT format('ALTER DOMAIN %s DROP DEFAULT', y.oid::regtype) FROM pg_type AS y
                                          WHERE y.oid = $2 AND y.typdefault IS NOT NULL)
           WHEN 'pg_class'::regclass THEN (SELECT format('DROP INDEX %s', c.oid::regclass) FROM pg_class AS c WHERE c.oid = $2
                                           AND c.relkind IN ('i', 'I'))
           WHEN 'pg_statistic_ext'::regclass THEN (SELECT format('DROP STATISTICS %s.%I', s.stxnamespace::regnamespace,
                                                                 s.stxname) FROM pg_statistic_ext AS s WHERE s.oid = $2)
           WHEN 'pg_cast'::regclass THEN (SELECT format('DROP CAST (%s AS %s)', c.castsource::regtype, c.casttarget::regtype)
                                          FROM pg_cast AS c WHERE c.oid = $2)
       END
