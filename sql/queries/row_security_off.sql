-- What is put before and after an UPDATE of {table}, so that it fails if row level security hides a row: nothing where it is forced for this
-- role, which then could update none.
SELECT CASE WHEN f.is_active THEN '' ELSE 'SET row_security TO off; ' END AS before,
       CASE WHEN f.is_active THEN '' ELSE '; RESET row_security' END AS after
  FROM (SELECT pg_catalog.row_security_active('platform.{table}'::pg_catalog.regclass) OR pg_catalog.row_security_active('platform.sessions'::pg_catalog.regclass)
               OR pg_catalog.row_security_active('platform.org_members'::pg_catalog.regclass) AS is_active) AS f
