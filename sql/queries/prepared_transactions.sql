-- Prepared transactions that hold a lock on a table of the platform or a partition of one: they do not end by themselves.
SELECT DISTINCT 'error' AS level,
       format('prepared transaction %L', x.gid) AS object,
       format('Prepared transaction %L of role %I, prepared %s, holds a lock on table %I.%I.',
              x.gid, x.owner, date_trunc('second', x.prepared), n.nspname, c.relname) AS detail,
       -- a role that may prepare a transaction could forge a line of the fix with the name that it gives
       CASE WHEN x.gid ~ E'[{invisible}]' THEN 'End it. Its name has invisible characters: see pg_prepared_xacts.'
            ELSE format('End it, with ROLLBACK or with COMMIT: COMMIT PREPARED %L', x.gid) END AS fix
  FROM pg_prepared_xacts AS x
  -- the locks of a prepared transaction have no pid; the lock on its own id identifies them
  JOIN pg_locks AS own ON own.locktype = 'transactionid' AND own.transactionid = x.transaction AND own.pid IS NULL
  JOIN pg_locks AS l ON l.virtualtransaction = own.virtualtransaction AND l.pid IS NULL
  JOIN pg_class AS c ON c.oid = coalesce(pg_partition_root(l.relation), l.relation)
  JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE x.database = current_database()
   AND n.nspname = current_setting('sessiondb.schema')
   AND c.relname IN ('org_members', 'sessions', 'enrollments', 'submissions')
