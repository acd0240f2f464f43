-- Describes who holds the advisory lock $1: a session, or a transaction that was prepared with PREPARE TRANSACTION.
SELECT regexp_replace(CASE
           WHEN x.gid IS NULL THEN format('pid %s, %I, role %I, client %s, connected since %s',
                                          a.pid, a.application_name, a.usename,
                                          coalesce(a.client_addr::text, 'local'),
                                          date_trunc('second', a.backend_start))
           ELSE format('prepared transaction %L of role %I, prepared %s, which only ROLLBACK PREPARED ends',
                       x.gid, x.owner, date_trunc('second', x.prepared))
       END, E'[{invisible}]', '?', 'g')  -- a name may control the terminal of who reads a log
  FROM pg_locks AS l
  LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
  -- the locks of a prepared transaction have no pid; the lock on its own id identifies them
  LEFT JOIN pg_locks AS own
    ON own.virtualtransaction = l.virtualtransaction AND own.locktype = 'transactionid' AND l.pid IS NULL
  LEFT JOIN pg_prepared_xacts AS x ON x.transaction = own.transactionid
 WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
   AND l.database = (SELECT d.oid FROM pg_database AS d
                      WHERE d.datname = current_database())
   AND (l.classid::bigint << 32 | l.objid::bigint) = $1
   AND coalesce(a.pid::text, x.gid) IS NOT NULL
