-- Nothing delays index builds for long: they wait for every transaction that began before.
SELECT 'open_transactions' AS "check", f.level, f.object, f.detail, f.fix
  FROM (
        SELECT p.* FROM (
{prepared_transactions()}
               ) AS p
        UNION ALL
        SELECT 'warning',
               format('pid %s', a.pid),
               format('A transaction of role %I (pid %s, %s, %s) has been open since %s; index builds wait for its end.',
                      a.usename, a.pid, coalesce(quote_ident(nullif(a.application_name, '')), 'no application name'), a.state,
                      date_trunc('second', a.xact_start)),
               format('Wait for it, or end it: SELECT pg_catalog.pg_terminate_backend(%s)', a.pid)
          FROM pg_stat_activity AS a
         WHERE a.datname = current_database()
           AND a.pid <> pg_backend_pid()
           AND a.xact_start < now() - interval '1 minute'
       ) AS f
 ORDER BY f.level, f.object
