-- The sessions whose transactions may have created something of another role in schema sessiondb, which no look at the catalogs shows
-- before they commit; 0 for a prepared transaction. $1 owns the platform's table enrollments.
--
-- Creating a relation in a schema locks the schema, and a trigger or a foreign key its table, until the transaction ends; a function
-- locks it since PostgreSQL 18 only, so that none of ours is called before it is known that it exists. No session is
-- left out because of its role, which may run code of any: ANALYZE calls functions of indexes as the owner of the table. But a trusted
-- role that locks a table exclusively creates nothing there.
SELECT DISTINCT coalesce(l.pid, 0)
  FROM pg_locks AS l
  LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
 WHERE l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
   AND l.granted
   AND l.pid IS DISTINCT FROM pg_backend_pid()
   AND (l.locktype = 'object' AND l.classid = 'pg_namespace'::regclass AND l.objid = to_regnamespace('sessiondb')::oid
        OR l.locktype = 'relation' AND l.relation IN (SELECT c.oid FROM pg_class AS c WHERE c.relnamespace = to_regnamespace('sessiondb')::oid)
           AND (l.mode = 'ShareRowExclusiveLock'
                OR l.mode IN ('ExclusiveLock', 'AccessExclusiveLock') AND NOT EXISTS (
                    SELECT FROM (
{trusted_roles($1)}
                           ) AS t (oid)
                     WHERE pg_has_role(a.usesysid, t.oid, 'USAGE'))))
