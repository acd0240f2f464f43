-- Each table that apply required to belong to a trusted role (privileges, owners) still does.
SELECT 'table_owners' AS "check", 'error' AS level, t.object,
       format('Table %s belongs to role %I, which may have created it in the place of another one.', t.object, pg_get_userbyid(t.relowner)) AS detail,
       CASE WHEN t.right_owner IS NULL THEN 'The tables of the platform belong to several roles. Inspect them, then give all of them to one with ALTER TABLE.'
            ELSE format('Inspect it, then rename it, and give the table of the platform its name again; or, if it is the right one: ALTER TABLE %s OWNER TO %I',
                        t.object, pg_get_userbyid(t.right_owner))
       END AS fix
  FROM (SELECT current_setting('sessiondb.schema') AS schema) AS i
 CROSS JOIN LATERAL (
{tables_of_others(i.schema)}
       ) AS t
UNION ALL
SELECT DISTINCT 'table_owners', 'error', format('SCHEMA %I', n.nspname),
       format('Schema %I belongs to role %I, which could put another one in its place while rows of %s are linked.', n.nspname, pg_get_userbyid(n.nspowner), c.oid::regclass),
       format('Inspect it, then: ALTER SCHEMA %I OWNER TO %I', n.nspname, pg_get_userbyid(h.owner))
  FROM pg_namespace AS s
  JOIN pg_class AS root ON root.relnamespace = s.oid AND root.relname IN ('enrollments', 'submissions') AND root.relkind = 'p'
 CROSS JOIN LATERAL ({with_partitions(root.oid)}) AS node
  JOIN pg_class AS c ON c.oid = node.relid AND c.relnamespace <> s.oid
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 CROSS JOIN LATERAL (SELECT ({right_owner(s.oid)}) AS owner OFFSET 0) AS h
 WHERE s.nspname = current_setting('sessiondb.schema')
   AND n.nspowner NOT IN (
{trusted_roles(h.owner)}
       )
 ORDER BY object
