-- Each table that apply required to belong to a trusted role (privileges, owners) still does.
SELECT 'table_owners' AS "check", 'error' AS level, t.object,
       format('Table %s belongs to role %I, which may have created it in the place of another one.', t.object, pg_get_userbyid(t.relowner)) AS detail,
       CASE WHEN t.right_owner IS NULL THEN 'The tables of the platform belong to several roles. Inspect them, then give all of '
                                            'them to one with ALTER TABLE.'
            ELSE format('Inspect it, then rename it, and give the table of the platform its name again; or, if it is the right '
                        'one: ALTER TABLE %s OWNER TO %I',
                        t.object, pg_get_userbyid(t.right_owner))
       END AS fix
  FROM (SELECT current_setting('sessiondb.schema') AS schema) AS i
 CROSS JOIN LATERAL (
{tables_of_others(i.schema)}
       ) AS t
UNION ALL
SELECT 'table_owners', 'error', format('SCHEMA %I', p.nspname),
       format('Schema %I belongs to role %I, which could put another one in its place while rows of %s are linked.', p.nspname,
              pg_get_userbyid(p.nspowner), p.of_table),
       format('Inspect it, then: ALTER SCHEMA %I OWNER TO %I', p.nspname, pg_get_userbyid(p.right_owner))
  FROM (SELECT current_setting('sessiondb.schema') AS schema) AS i
 CROSS JOIN LATERAL (
{schemas_of_partitions(i.schema)}
       ) AS p
 ORDER BY object
