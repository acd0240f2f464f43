-- The code of roles that are not trusted which runs when the tables in use are written to: each function, operator, type or table
-- (classid, objid, what) that an object (of_class, of_object) of table relid uses, with the statement that takes a function over.
-- WITH: platform, used, trusted (checks/code_of_others.sql)
WITH part AS (
    SELECT u.relid, 'pg_class'::regclass AS catalog, u.relid AS oid FROM used AS u
    UNION
    SELECT u.relid, 'pg_type'::regclass, t.type_oid
      FROM used AS u
     CROSS JOIN LATERAL (
{types_of_columns(u.relid)}
           ) AS t
)
SELECT e.relid, f.object, f.type, f.of_class, f.of_object, f.classid, f.objid,
       format('%s %s role %I',
              CASE f.classid WHEN 'pg_proc'::regclass THEN format('function %s', f.objid::regprocedure) ELSE format('%s %s', i.type, i.identity) END,
              f.how, pg_get_userbyid(f.owner)) AS what,
       -- a function that acts with its owner's rights would get those of its new owner
       CASE WHEN f.how = 'of'
           AND NOT p.prosecdef THEN format('ALTER FUNCTION %s OWNER TO %I', p.oid::regprocedure, pg_get_userbyid(u.relowner)) END AS takeover
  FROM part AS e
  JOIN used AS u ON u.relid = e.relid
 CROSS JOIN LATERAL (
{used_code(e.catalog, e.oid)}
       ) AS f
 CROSS JOIN LATERAL pg_identify_object(f.classid, f.objid, 0) AS i
  LEFT JOIN pg_proc AS p ON f.classid = 'pg_proc'::regclass AND p.oid = f.objid
 WHERE f.owner NOT IN (SELECT t.oid FROM trusted AS t)
   -- the owner of the table, and who may act as that role, can do anything in any case
   AND NOT pg_has_role(f.owner, u.relowner, 'USAGE')
   -- in a schema of a trusted role, one that a role with CREATE there made is trusted, but not on a trigger
   AND (f.type = 'trigger' OR f.how = 'of' AND (
            NOT has_schema_privilege(f.owner, f.namespace, 'CREATE')
            OR f.namespace IN (
                SELECT s.oid
                  FROM platform AS h
                 CROSS JOIN LATERAL (
{open_schemas(h.table_owner)}
                      ) AS s)))
