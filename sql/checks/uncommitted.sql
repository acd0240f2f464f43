-- No role that is not trusted has a transaction open in which it has created a trigger on a table that is read or written, or a foreign
-- key to one: until it is committed, nothing else shows it, also not when the right to it was revoked meanwhile.
WITH used AS (
{tables_in_use(false)}
)
SELECT DISTINCT 'uncommitted' AS "check", 'warning' AS level, format('table %s', l.relation::regclass) AS object,
       format('%s of role %I may have created a trigger there, or a foreign key to it, which nothing shows before it is committed.',
              coalesce('Session ' || l.pid, 'A prepared transaction'), coalesce(a.usename, x.owner)) AS detail,
       CASE WHEN l.pid IS NOT NULL THEN format('SELECT pg_catalog.pg_terminate_backend(%s)', l.pid)
            WHEN x.gid ~ E'[{invisible}]' THEN 'End it. Its name has invisible characters: see pg_prepared_xacts.'
            ELSE format('ROLLBACK PREPARED %L', x.gid) END AS fix
  FROM pg_locks AS l
  LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
  -- the locks of a prepared transaction have no pid; the lock on its own id identifies them
  LEFT JOIN pg_locks AS own ON l.pid IS NULL AND own.pid IS NULL AND own.locktype = 'transactionid' AND own.virtualtransaction = l.virtualtransaction
  LEFT JOIN pg_prepared_xacts AS x ON x.transaction = own.transactionid
 WHERE l.locktype = 'relation' AND l.granted
   AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
   AND l.relation IN (SELECT u.relid FROM used AS u)
   AND l.mode IN ('ShareRowExclusiveLock', 'AccessExclusiveLock')
   AND (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = coalesce(a.usename, x.owner)) NOT IN (
        SELECT t.oid
          FROM (SELECT ({right_owner(n.oid)}) AS oid FROM pg_namespace AS n WHERE n.nspname = current_setting('sessiondb.schema')) AS o
         CROSS JOIN LATERAL (
{trusted_roles(o.oid)}
               ) AS t)
 ORDER BY object, detail
