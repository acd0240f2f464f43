-- When a session is deleted, PostgreSQL sets session_id of its rows to NULL with the rights of the owner of the table, but under
-- the search_path of the role that deletes it. What that UPDATE calls (triggers, constraints, expressions of indexes) would then
-- look up unqualified names where that role chooses, with the rights of the owner, unless it pins its own path, pg_temp last.
WITH RECURSIVE
platform AS (
    SELECT n.oid AS namespace, r.relowner AS owner, i.search_path
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
deleting AS (
    SELECT string_agg(DISTINCT CASE a.grantee WHEN 0 THEN 'every role' ELSE format('role %I', pg_get_userbyid(a.grantee)) END, ', ') AS roles
      FROM platform AS h
     CROSS JOIN deleted AS d
      JOIN pg_class AS c ON c.oid = d.relid
     CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) AS a
     WHERE a.privilege_type = 'DELETE'
       AND (a.grantee = 0 OR NOT pg_has_role(a.grantee, h.owner, 'USAGE') AND a.grantee NOT IN (
{trusted_roles(h.owner)}
            ))
)
SELECT 'unpinned_functions' AS "check", 'warning' AS level, format('function %s', p.oid::regprocedure) AS object,
       format('Called by %s. When a session is deleted, it runs with the rights of role %I under the search_path of the role that deletes, '
              'so its unqualified names mean objects that such a role chose. May delete sessions: %s.',
              string_agg(DISTINCT format('%s %s', i.type, i.identity), ', '), pg_get_userbyid(h.owner), w.roles) AS detail,
       format('ALTER FUNCTION %s SET search_path TO %s', p.oid::regprocedure, h.search_path) AS fix
  FROM platform AS h
  JOIN pg_class AS root ON root.relnamespace = h.namespace AND root.relname IN ('enrollments', 'submissions')
 CROSS JOIN LATERAL ({with_partitions(root.oid)}) AS node
 CROSS JOIN LATERAL (
        SELECT 'pg_trigger'::regclass, t.oid, t.tgfoid::oid
          FROM pg_trigger AS t
         WHERE t.tgrelid = node.relid AND NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgenabled <> 'D' AND t.tgtype & 16 <> 0
        UNION ALL
        SELECT d.classid, d.objid, e.refobjid
          FROM pg_depend AS d
          JOIN pg_depend AS e ON e.classid = d.classid AND e.objid = d.objid AND e.refclassid = 'pg_proc'::regclass
         WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = node.relid AND d.deptype = 'a'
           AND d.classid IN ('pg_constraint'::regclass, 'pg_class'::regclass)
       ) AS u (classid, objid, function_oid)
 CROSS JOIN LATERAL pg_identify_object(u.classid, u.objid, 0) AS i
  JOIN pg_proc AS p ON p.oid = u.function_oid AND p.pronamespace IS DISTINCT FROM to_regnamespace('sessiondb')
  JOIN pg_language AS l ON l.oid = p.prolang AND l.lanname NOT IN ('c', 'internal')
 CROSS JOIN deleting AS w
 WHERE w.roles IS NOT NULL
   -- an empty path finds nothing but PostgreSQL's own and what is qualified
   AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS s (setting) WHERE s.setting ~ '^search_path=(""|.*pg_temp"?)$')
 GROUP BY p.oid, h.owner, h.search_path, w.roles
 ORDER BY object
