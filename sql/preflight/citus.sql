-- The tables are ordinary ones. If Citus manages them, their pages, by which links are saved, restored and created, are not
-- on the coordinator: some links would be lost without an error.
SELECT 'citus' AS "check", 'error' AS level,
       format('%s', c.name) AS object,
       format('Table %s is managed by Citus, which this version of sessiondb does not support.', c.name) AS detail,
       format('Make it an ordinary table: SELECT undistribute_table(%L, cascade_via_foreign_keys => true)', c.name::text) AS fix
  FROM (
{citus_tables()}
       ) AS c
 WHERE c.schema = current_setting('sessiondb.schema')
 ORDER BY object
