-- The GRANT statements without which the roles $2, separated by commas, cannot evaluate what function $1 with a parsed body names.
SELECT DISTINCT format('GRANT %s TO %s', g.of_it, r.name) AS statement
  FROM pg_depend AS d
 CROSS JOIN unnest({split_names($2)}) AS r (name)
 CROSS JOIN LATERAL (SELECT CASE r.name WHEN 'PUBLIC' THEN 0 ELSE to_regrole(r.name)::oid END AS oid) AS reader
 CROSS JOIN LATERAL (
        SELECT format('EXECUTE ON FUNCTION %s', p.oid::regprocedure)
          FROM pg_proc AS p
         WHERE d.refclassid = 'pg_proc'::regclass AND p.oid = d.refobjid AND NOT has_function_privilege(reader.oid, p.oid, 'EXECUTE')
        UNION ALL
        SELECT format('SELECT (%I) ON TABLE %s', a.attname, a.attrelid::regclass)
          FROM pg_attribute AS a
         WHERE d.refclassid = 'pg_class'::regclass AND a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
           AND NOT has_column_privilege(reader.oid, a.attrelid, a.attnum, 'SELECT')
       ) AS g (of_it)
 WHERE d.classid = 'pg_proc'::regclass AND d.objid = $1
