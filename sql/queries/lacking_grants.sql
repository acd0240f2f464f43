-- The GRANT statements without which the roles $2, separated by commas, cannot evaluate what function $1 with a parsed body names.
SELECT DISTINCT format('GRANT %s TO %s', g.of_it, r.name) AS statement
  FROM pg_depend AS d
 CROSS JOIN unnest({split_names($2)}) AS r (name)
 CROSS JOIN LATERAL (SELECT CASE r.name WHEN 'PUBLIC' THEN 0 ELSE to_regrole(r.name)::oid END AS oid) AS reader
 CROSS JOIN LATERAL (
        SELECT format('EXECUTE ON FUNCTION %s', p.oid::regprocedure)
          FROM pg_proc AS p
         WHERE p.oid = CASE d.refclassid WHEN 'pg_proc'::regclass THEN d.refobjid
                                         WHEN 'pg_operator'::regclass THEN (SELECT o.oprcode FROM pg_operator AS o WHERE o.oid = d.refobjid) END
           AND NOT has_function_privilege(reader.oid, p.oid, 'EXECUTE')
        UNION ALL
        SELECT format('SELECT (%I) ON TABLE %s', a.attname, a.attrelid::regclass)
          FROM pg_attribute AS a
         WHERE d.refclassid = 'pg_class'::regclass AND a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
           AND NOT has_column_privilege(reader.oid, a.attrelid, a.attnum, 'SELECT')
        UNION ALL
        -- whole rows, or whether there are any
        SELECT format('SELECT ON TABLE %s', c.oid::regclass)
          FROM pg_class AS c
         WHERE d.refclassid = 'pg_class'::regclass AND d.refobjsubid = 0 AND c.oid = d.refobjid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
           AND EXISTS (
                SELECT FROM pg_attribute AS a
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT has_column_privilege(reader.oid, c.oid, a.attnum, 'SELECT'))
       ) AS g (of_it)
 WHERE d.classid = 'pg_proc'::regclass AND d.objid = $1
