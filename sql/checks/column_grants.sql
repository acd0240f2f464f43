-- A role whose grants on columns cover all of enrollments or submissions but session_id, which came later, gets an error for SELECT *
-- and RETURNING *.
SELECT 'column_grants' AS "check", 'info' AS level, format('%s', c.oid::regclass) AS object,
       format('%s may read every column but session_id, so its SELECT * and RETURNING * fail.',
              coalesce('Role ' || quote_ident(r.rolname), 'Every role')) AS detail,
       format('GRANT SELECT (session_id) ON %s TO %s', c.oid::regclass, coalesce(quote_ident(r.rolname), 'PUBLIC')) AS fix
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid
  JOIN sessiondb.objects AS o ON o.kind = 'column' AND o.parent = c.relname AND o.origin = 'created'
 CROSS JOIN LATERAL (
        SELECT x.grantee, array_agg(DISTINCT a.attnum) AS columns
          FROM pg_attribute AS a
         CROSS JOIN LATERAL aclexplode(a.attacl) AS x
         WHERE a.attrelid = c.oid AND NOT a.attisdropped AND x.privilege_type = 'SELECT'
         GROUP BY x.grantee
       ) AS g
  LEFT JOIN pg_roles AS r ON r.oid = g.grantee
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND NOT EXISTS (SELECT FROM aclexplode(c.relacl) AS x WHERE x.privilege_type = 'SELECT' AND x.grantee IN (0, g.grantee))
   AND (SELECT bool_and((a.attname = 'session_id') <> (a.attnum = ANY (g.columns)))
          FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
 ORDER BY object, detail
