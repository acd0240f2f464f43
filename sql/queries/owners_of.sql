-- The roles that may replace object $2 of catalog $1: its owner, and who owns its schema or its extension. Each with the schema, and
-- with how the object belongs to the role.
SELECT o.owner, o.namespace, o.how
  FROM (
{owned()}
       ) AS w
  JOIN pg_namespace AS n ON n.oid = w.namespace
 CROSS JOIN LATERAL (
        SELECT w.owner, n.oid, 'of'
        UNION ALL
        SELECT n.nspowner, n.oid, 'in a schema of'
        UNION ALL
        SELECT e.extowner, n.oid, 'in an extension of'
          FROM pg_depend AS d
          JOIN pg_extension AS e ON e.oid = d.refobjid
         WHERE d.classid = w.classid AND d.objid = w.objid AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
       ) AS o (owner, namespace, how)
 WHERE w.classid = $1 AND w.objid = $2
