-- The objects that function $1 (an oid) with a parsed body uses and that a role that is not trusted could have made, each with that
-- role, or with the owner of its schema if that is the stranger: functions, operators, types, relations; and in turn the relatives of
-- these relations, and what their policies, rules and constraints call, because a query runs all of that. $2 owns the platform's
-- table enrollments.
WITH named AS (
    SELECT u.classid, u.objid
      FROM (
{reached('pg_proc'::regclass, $1)}
           ) AS u
     WHERE (u.classid, u.objid) <> ('pg_proc'::regclass::oid, $1)
),
read AS (
    SELECT DISTINCT node.relid
      FROM named AS u
     CROSS JOIN LATERAL (
{with_relatives(u.objid)}
           ) AS node
     WHERE u.classid = 'pg_class'::regclass
),
used AS (
    SELECT u.classid, u.objid FROM named AS u
    UNION
    SELECT 'pg_class'::regclass, s.relid FROM read AS s
    UNION
    SELECT f.classid, f.objid
      FROM read AS s
     CROSS JOIN LATERAL (
{used_code('pg_class'::regclass, s.relid)}
           ) AS f
     WHERE f.type NOT IN ('trigger', 'default value')
)
SELECT DISTINCT format('%s %s', i.type, i.identity) AS name, pg_get_userbyid(f.owner) AS role
  FROM used AS u
 CROSS JOIN LATERAL pg_identify_object(u.classid, u.objid, 0) AS i
 CROSS JOIN LATERAL (
{owners_of(u.classid, u.objid)}
       ) AS f
 WHERE f.how <> 'in an extension of'
   AND f.owner NOT IN (
{trusted_roles($2)}
       )
   AND (NOT has_schema_privilege(f.owner, f.namespace, 'CREATE')
        OR f.namespace IN (
{open_schemas($2)}
           ))
UNION
-- of the type after RETURNING there is no dependency
SELECT format('type %s', t.name), t.role
  FROM (SELECT pg_get_function_sqlbody($1) AS text) AS b
 CROSS JOIN LATERAL (
{named_types(b.text, $2)}
       ) AS t
 ORDER BY name
