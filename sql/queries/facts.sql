-- The facts in the catalogs about the objects {wanted} (kind, parent, name, arguments), one row for each that exists. They
-- are the same on another server, in another schema, without a comment and after pg_dump. is_ours: by its comment.
--
-- The parent of a column, constraint, index, trigger or policy is its table in the platform's schema; that of a table or
-- function is the schema, "platform" for the platform's.
--
-- Longer than a screen: a branch for each kind of object. Branches for other kinds are removed before the query is sent,
-- because each takes time to plan.
WITH platform AS (
    SELECT c.oid, c.relname
      FROM pg_class AS c
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = current_setting('sessiondb.schema')
       AND c.relkind IN ('r', 'p')
)
SELECT w.kind, w.parent, w.name, f.facts,
       coalesce((SELECT d.description FROM pg_description AS d
                  WHERE d.classoid = f.class AND d.objoid = f.oid AND d.objsubid = f.place) LIKE '%(sessiondb)', false) AS is_ours
  FROM {wanted} AS w (kind, parent, name, arguments)
 CROSS JOIN LATERAL (
        SELECT jsonb_build_object('columns', (
                   SELECT jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod))
                     FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)),
               NULL::oid, NULL::oid, 0
          FROM pg_class AS c
         WHERE w.kind = 'table' AND c.relname = w.name AND c.relkind = 'r'
           AND c.relnamespace = (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = 'sessiondb')
        UNION ALL
        SELECT jsonb_build_object('type', t.typname, 'not null', a.attnotnull, 'default', a.atthasdef),
               'pg_class'::regclass, c.oid, a.attnum
          FROM platform AS c
          JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = w.name AND NOT a.attisdropped
          JOIN pg_type AS t ON t.oid = a.atttypid
         WHERE w.kind = 'column' AND c.relname = w.parent
        UNION ALL
        SELECT jsonb_build_object(
                   'type', k.contype, 'refers to', r.relname, 'on delete', k.confdeltype, 'validated', k.convalidated,
                   'columns', (SELECT array_agg(a.attname ORDER BY u.place)
                                 FROM unnest(k.conkey) WITH ORDINALITY AS u (attnum, place)
                                 JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = u.attnum)),
               'pg_constraint'::regclass, k.oid, 0
          FROM platform AS c
          JOIN pg_constraint AS k ON k.conrelid = c.oid AND k.conname = w.name
          LEFT JOIN pg_class AS r ON r.oid = k.confrelid
         WHERE w.kind = 'constraint' AND c.relname = w.parent
        UNION ALL
        SELECT jsonb_build_object(
                   'valid', d.indisvalid, 'unique', d.indisunique,
                   'columns', (SELECT array_agg(pg_get_indexdef(d.indexrelid, u.place::integer, true) || '/' || u.options ORDER BY u.place)
                                 FROM unnest(d.indoption) WITH ORDINALITY AS u (options, place)),
                   'where', regexp_replace(pg_get_expr(d.indpred, d.indrelid), '::("[^"]*"|[a-z_. ])+|[() ]', '', 'g')),
               'pg_class'::regclass, x.oid, 0
          FROM platform AS c
          JOIN pg_index AS d ON d.indrelid = c.oid
          JOIN pg_class AS x ON x.oid = d.indexrelid AND x.relname = w.name
         WHERE w.kind = 'index' AND c.relname = w.parent
        UNION ALL
        SELECT jsonb_build_object(
                   'type', t.tgtype, 'function', n.nspname || '.' || p.proname, 'arguments', encode(t.tgargs, 'escape'),
                   'columns', (SELECT array_agg(a.attname ORDER BY a.attnum) FROM pg_attribute AS a
                                WHERE a.attrelid = c.oid AND a.attnum = ANY (t.tgattr)),
                   'when', substring(pg_get_triggerdef(t.oid, true), 'WHEN \((.*)\) EXECUTE FUNCTION')),
               'pg_trigger'::regclass, t.oid, 0
          FROM platform AS c
          JOIN pg_trigger AS t ON t.tgrelid = c.oid AND t.tgname = w.name AND NOT t.tgisinternal
          JOIN pg_proc AS p ON p.oid = t.tgfoid
          JOIN pg_namespace AS n ON n.oid = p.pronamespace
         WHERE w.kind = 'trigger' AND c.relname = w.parent
        UNION ALL
        SELECT jsonb_build_object(
                   'permissive', p.polpermissive, 'command', p.polcmd,
                   'roles', (SELECT string_agg(coalesce(r.rolname, 'PUBLIC'), ', ' ORDER BY r.rolname)
                               FROM unnest(p.polroles) AS u (role) LEFT JOIN pg_roles AS r ON r.oid = u.role),
                   'using', regexp_replace(pg_get_expr(p.polqual, p.polrelid), ' AS \w+|[() ]', '', 'g')),
               'pg_policy'::regclass, p.oid, 0
          FROM platform AS c
          JOIN pg_policy AS p ON p.polrelid = c.oid AND p.polname = w.name
         WHERE w.kind = 'policy' AND c.relname = w.parent
        UNION ALL
        SELECT jsonb_build_object(
                   'body', p.prosrc, 'settings', p.proconfig, 'security definer', p.prosecdef, 'volatility', p.provolatile,
                   'parallel', p.proparallel, 'strict', p.proisstrict, 'language', l.lanname, 'kind', p.prokind,
                   'names', p.proargnames, 'result', t.typname, 'set', p.proretset,
                   -- not a join, which would read all types for each function
                   'types', (SELECT array_agg((SELECT a.typname FROM pg_type AS a WHERE a.oid = u.type) ORDER BY u.place)
                               FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) WITH ORDINALITY AS u (type, place)),
                   'defaults', pg_get_expr(p.proargdefaults, 0))
               -- a dump may lack what was revoked; administrators may revoke more
               || CASE WHEN NOT has_function_privilege(0::oid, p.oid, 'EXECUTE') THEN '{"private": true}' ELSE '{}' END::jsonb
               || CASE p.proname WHEN 'sessions_of_staff' THEN jsonb_build_object('granted to', (
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
       ) AS f (facts, class, oid, place)
