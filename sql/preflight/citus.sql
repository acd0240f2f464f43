-- Where Citus manages the tables, it does so as sessiondb supports it: else links are lost without an error, or
-- every enrolment waits for every other.
SELECT 'citus' AS "check", 'error' AS level,
       format('%s', c.name) AS object,
       format('Table %s is managed by Citus in a way that this version of sessiondb does not support%s.', c.name,
              ': ' || nullif(s.topology, '')) AS detail,
       CASE WHEN s.topology LIKE '%one shard, as in the schema of a tenant%' AND c.schema <> 'public'
            THEN format('Make all tables of the schema ordinary ones: SELECT pg_catalog.citus_schema_undistribute(%L)', c.schema)
            ELSE format('Make it an ordinary table: SELECT pg_catalog.undistribute_table(%L, cascade_via_foreign_keys => true)',
                        c.name::text) END AS fix
  FROM (
{citus_tables()}
       ) AS c
 CROSS JOIN (SELECT current_setting('sessiondb.citus', true)) AS s (topology)
 WHERE c.schema = current_setting('sessiondb.schema')
   AND s.topology IS DISTINCT FROM 'distributed'
UNION ALL
SELECT 'citus', 'error', 'policies',
       'The policies for staff ask for the sessions of a user, which Citus does not allow in a policy of a distributed table.',
       'Leave --staff out; to end an earlier choice: sessiondb apply --staff ""'
 WHERE current_setting('sessiondb.citus', true) = 'distributed'
   AND coalesce(current_setting('sessiondb.staff', true), '') <> ''
 ORDER BY object
