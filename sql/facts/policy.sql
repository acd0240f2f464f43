-- Of a policy of a table of the platform: its command, its roles and its expression.
-- WITH: platform (queries/facts.sql)
SELECT jsonb_build_object(
           'permissive', p.polpermissive, 'command', p.polcmd,
           'roles', (SELECT string_agg(coalesce(r.rolname, 'PUBLIC'), ', ' ORDER BY r.rolname)
                       FROM unnest(p.polroles) AS u (role) LEFT JOIN pg_roles AS r ON r.oid = u.role),
           'using', regexp_replace(pg_get_expr(p.polqual, p.polrelid), E' AS \\w+|[() ]', '', 'g')),
       'pg_policy'::regclass, p.oid, 0
  FROM platform AS c
  JOIN pg_policy AS p ON p.polrelid = c.oid AND p.polname = w.name
 WHERE w.kind = 'policy' AND c.relname = w.parent
