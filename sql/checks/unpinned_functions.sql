-- A foreign key runs with the rights of the owner of its tables, but under the search_path of the role that writes: its ON DELETE
-- SET NULL fires the triggers, constraints and indexes of enrollments and submissions when a session is deleted, and the planner
-- may evaluate those of sessions when a row is linked. What these call looks up unqualified names where that role chooses, unless
-- it pins its own path, with pg_temp last.
WITH RECURSIVE
platform AS (
    SELECT n.oid AS namespace, r.relowner AS owner,
           (SELECT string_agg(quote_ident(s.name), ', ' ORDER BY s.place)
              FROM (
{schemas_in_path(i.search_path)}
                   ) AS s) AS path
      FROM sessiondb.installation AS i
      JOIN pg_namespace AS n ON n.nspname = i.platform_schema
      JOIN pg_class AS r ON r.relnamespace = n.oid AND r.relname = 'enrollments'
),
-- the tables whose deleted rows delete sessions
deleted (relid) AS (
    SELECT c.oid FROM platform AS h JOIN pg_class AS c ON c.relnamespace = h.namespace AND c.relname = 'sessions'
     UNION
    SELECT k.confrelid FROM deleted AS d JOIN pg_constraint AS k ON k.conrelid = d.relid AND k.contype = 'f' AND k.confdeltype = 'c'
),
-- the roles that choose the search_path
may AS (
    SELECT w.what, string_agg(DISTINCT CASE a.grantee WHEN 0 THEN 'every role' ELSE format('role %I', pg_get_userbyid(a.grantee)) END, ', ') AS roles
      FROM platform AS h
     CROSS JOIN LATERAL (
            SELECT 'deletes a session' AS what, d.relid, '{DELETE}'::text[] AS privileges FROM deleted AS d
            UNION ALL
            SELECT 'links a row', c.oid, '{INSERT,UPDATE}' FROM pg_class AS c WHERE c.relnamespace = h.namespace
                AND c.relname IN ('enrollments', 'submissions')
           ) AS w
      JOIN pg_class AS c ON c.oid = w.relid
     CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS a
     WHERE a.privilege_type = ANY (w.privileges)
       AND (a.grantee = 0 OR NOT pg_has_role(a.grantee, h.owner, 'USAGE') AND a.grantee NOT IN (
{trusted_roles(h.owner)}
            ))
     GROUP BY w.what
)
SELECT 'unpinned_functions' AS "check", 'warning' AS level, format('function %s', p.oid::regprocedure) AS object,
       format('Called by %s. It may run with the rights of role %I, under the search_path of a role that %s, so its unqualified names mean '
              'objects that such a role chose. These may: %s.',
              string_agg(DISTINCT format('%s %s', i.type, i.identity), ', '), pg_get_userbyid(h.owner), m.what, m.roles) AS detail,
       format('ALTER FUNCTION %s SET search_path TO %s, pg_temp', p.oid::regprocedure, h.path) AS fix
  FROM platform AS h
  JOIN pg_class AS root ON root.relnamespace = h.namespace AND root.relname IN ('enrollments', 'submissions', 'sessions')
 CROSS JOIN LATERAL ({with_partitions(root.oid)}) AS node
 CROSS JOIN LATERAL (
        SELECT 'pg_trigger'::regclass, t.oid, t.tgfoid::oid
          FROM pg_trigger AS t
         WHERE t.tgrelid = node.relid AND NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgenabled <> 'D' AND t.tgtype & 16 <> 0
           AND root.relname <> 'sessions'
        UNION ALL
        SELECT d.classid, d.objid, e.refobjid
          FROM (
                SELECT d.classid, d.objid
                  FROM pg_depend AS d
                 WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = node.relid AND d.deptype = 'a'
                   AND d.classid IN ('pg_constraint'::regclass, 'pg_class'::regclass)
                 UNION
                -- the index of an EXCLUDE depends on the constraint
                SELECT 'pg_class'::regclass, k.conindid FROM pg_constraint AS k WHERE k.conrelid = node.relid AND k.contype = 'x'
               ) AS d
          JOIN pg_depend AS e ON e.classid = d.classid AND e.objid = d.objid AND e.refclassid = 'pg_proc'::regclass
       ) AS u (classid, objid, function_oid)
 CROSS JOIN LATERAL pg_identify_object(u.classid, u.objid, 0) AS i
  JOIN pg_proc AS p ON p.oid = u.function_oid AND p.pronamespace IS DISTINCT FROM to_regnamespace('sessiondb')
  JOIN pg_language AS l ON l.oid = p.prolang AND l.lanname NOT IN ('c', 'internal')
  JOIN may AS m ON m.what = CASE root.relname WHEN 'sessions' THEN 'links a row' ELSE 'deletes a session' END
 -- an empty path finds nothing but PostgreSQL's own and what is qualified
 WHERE NOT EXISTS (SELECT FROM unnest(p.proconfig) AS s (setting) WHERE s.setting ~ '^search_path=(""|.*pg_temp"?)$')
 GROUP BY p.oid, h.owner, h.path, m.what, m.roles
 ORDER BY object
