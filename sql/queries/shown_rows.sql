-- Whether the policies on table $1 (an oid) show role $3 some rows or every row for command $2, as in pg_policy: permissive
-- policies add rows, restrictive ones remove some.
SELECT coalesce(bool_or(p.polpermissive), false) AS some,
       coalesce(bool_or(p.polpermissive AND e.is_true) AND bool_and(p.polpermissive OR e.is_true), false) AS every
  FROM pg_policy AS p
 CROSS JOIN LATERAL (SELECT pg_get_expr(p.polqual, p.polrelid) = 'true' AS is_true) AS e
 WHERE p.polrelid = $1
   AND p.polcmd IN ('*', $2)
   AND EXISTS (SELECT FROM unnest(p.polroles) AS t (role) WHERE t.role = 0 OR pg_has_role($3, t.role, 'USAGE'))
