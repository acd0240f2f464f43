-- Of a function: its body, all that CREATE FUNCTION says of it, and whether PUBLIC may call it.
-- WITH: platform (queries/facts.sql)
SELECT jsonb_build_object(
           'body', coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), 'settings', p.proconfig, 'security definer', p.prosecdef,
               'volatility', p.provolatile,
           'parallel', p.proparallel, 'strict', p.proisstrict, 'language', l.lanname, 'kind', p.prokind,
           'names', p.proargnames, 'result', t.typname, 'set', p.proretset,
           -- not a join, which would read all types for each function
           'types', (SELECT array_agg((SELECT a.typname FROM pg_type AS a WHERE a.oid = u.type) ORDER BY u.place)
                       FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY AS u (type, place)),
           'defaults', pg_get_expr(p.proargdefaults, 0))
       -- a dump may lack what was revoked; administrators may revoke more
       || CASE WHEN NOT has_function_privilege(0::oid, p.oid, 'EXECUTE') THEN '{"private": true}' ELSE '{}' END::jsonb
       || CASE WHEN p.proname IN ({functions_of_policies()}) THEN jsonb_build_object('granted to', (
              SELECT coalesce(string_agg(DISTINCT coalesce(r.rolname, 'PUBLIC'), ', '), '')
                FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
                LEFT JOIN pg_roles AS r ON r.oid = a.grantee
               WHERE a.grantee <> p.proowner)) ELSE '{}' END,
       'pg_proc'::regclass, p.oid, 0
  FROM pg_proc AS p
  JOIN pg_language AS l ON l.oid = p.prolang
  JOIN pg_type AS t ON t.oid = p.prorettype
  JOIN pg_namespace AS n ON n.oid = p.pronamespace
 WHERE w.kind = 'function' AND p.proname = w.name
   AND oidvectortypes(p.proargtypes) = w.arguments
   AND n.nspname = CASE w.parent WHEN 'platform' THEN current_setting('sessiondb.schema') ELSE w.parent END
