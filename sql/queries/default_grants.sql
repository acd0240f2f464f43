-- The statements that revoke what default privileges of the platform (ALTER DEFAULT PRIVILEGES without IN SCHEMA) granted to other
-- roles on objects in schema sessiondb: some backends grant everything to the roles of their API that way. Grants by hand to other
-- roles are preserved, and so is SELECT for roles that dump the platform; grant_to_readers() decides which roles may call the functions
-- of the policies for staff. The default privileges are those of the role that created an object, which may have given it away.
--
-- And those that revoke, however it was granted, what would let a role have its code run: EXECUTE on a trigger function, and TRIGGER
-- or REFERENCES on a table. CASCADE: also what that role has granted in turn.
WITH object (type, owner, acl, oid) AS (
    SELECT 'n', n.nspowner, n.nspacl, n.oid
      FROM pg_namespace AS n
     WHERE n.nspname = 'sessiondb'
    UNION ALL
    SELECT 'r', c.relowner, c.relacl, c.oid
      FROM pg_class AS c
     WHERE c.relnamespace = to_regnamespace('sessiondb') AND c.relkind IN ('r', 'v')
    UNION ALL
    SELECT 'f', p.proowner, p.proacl, p.oid
      FROM pg_proc AS p
     WHERE p.pronamespace = to_regnamespace('sessiondb') AND p.proname NOT IN ({functions_of_policies()})
)
SELECT DISTINCT 0 AS place,
       format('REVOKE %s ON %s FROM %s CASCADE', CASE WHEN k.makes_dumps THEN string_agg(DISTINCT a.privilege_type, ', ') ELSE 'ALL' END,
                       CASE o.type
                           WHEN 'n' THEN 'SCHEMA sessiondb'
                           WHEN 'r' THEN format('TABLE %s', o.oid::regclass)
                           ELSE format('ROUTINE %s', o.oid::regprocedure)
                       END,
                       CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END) AS statement
  FROM object AS o
  JOIN pg_default_acl AS d ON pg_get_userbyid(d.defaclrole) IN (pg_get_userbyid(o.owner), current_user)
      AND d.defaclobjtype = o.type AND d.defaclnamespace = 0
 CROSS JOIN LATERAL aclexplode(d.defaclacl) AS g
 CROSS JOIN LATERAL aclexplode(o.acl) AS a
 CROSS JOIN LATERAL (SELECT o.type = 'r' AND a.grantee IN (SELECT b.oid FROM ({dumping_roles()}) AS b) AS makes_dumps) AS k
 WHERE a.grantee = g.grantee
   AND a.grantee <> o.owner
   -- install() decides which functions PUBLIC may call
   AND NOT (o.type = 'f' AND a.grantee = 0)
   AND NOT (k.makes_dumps AND a.privilege_type = 'SELECT')
 GROUP BY o.type, o.oid, a.grantee, k.makes_dumps
UNION ALL
SELECT 0,
       format('REVOKE ALL ON ROUTINE %s FROM %s CASCADE', p.oid::regprocedure, CASE a.grantee WHEN 0 THEN 'PUBLIC'
              ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
  FROM pg_proc AS p
 CROSS JOIN LATERAL aclexplode(p.proacl) AS a
 WHERE p.pronamespace = to_regnamespace('sessiondb') AND (p.prosecdef OR p.prorettype = 'trigger'::regtype)
     AND p.proname NOT IN ({functions_of_policies()})
   AND a.grantee <> p.proowner
UNION ALL
-- with these, a role could put a trigger on a table that is written to next
SELECT 0,
       format('REVOKE TRIGGER, REFERENCES ON TABLE %s FROM %s CASCADE', c.oid::regclass, CASE a.grantee WHEN 0 THEN 'PUBLIC'
              ELSE quote_ident(pg_get_userbyid(a.grantee)) END)
  FROM pg_class AS c
 CROSS JOIN LATERAL aclexplode(c.relacl) AS a
 WHERE c.relnamespace = to_regnamespace('sessiondb') AND c.relkind IN ('r', 'v')
   AND a.privilege_type IN ('TRIGGER', 'REFERENCES')
   AND a.grantee <> c.relowner
 GROUP BY c.oid, a.grantee
