-- The operator $1 (an oid) as SQL writes it after the left operand, and what follows the right one.
--
-- The schema alone does not make it that operator: for two values of a domain over citext, OPERATOR(public.=) is first sought
-- for the domain, and any role that may create things in that schema may have made one. So the operands are cast to its own
-- types, for which there cannot be another. In pg_catalog no role can make one. ORDER BY, DISTINCT and GROUP BY take the
-- default operator class of the type, which only a superuser can make.
SELECT format('%sOPERATOR(%I.%s)', CASE WHEN s.nspname <> 'pg_catalog' THEN format('::%s ', format_type(p.oprleft, -1)) END,
              s.nspname, p.oprname) AS operator,
       CASE WHEN s.nspname <> 'pg_catalog' THEN format('::%s', format_type(p.oprright, -1)) END AS right_cast
  FROM pg_operator AS p
  JOIN pg_namespace AS s ON s.oid = p.oprnamespace
 WHERE p.oid = $1
