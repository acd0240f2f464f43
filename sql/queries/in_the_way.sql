-- Describes the backends $1 to the user; NULL when they have ended. 0 stands for prepared transactions, as in
-- pg_blocking_pids(). The body needs nothing of schema sessiondb.
SELECT regexp_replace(string_agg(w.description, '; ' ORDER BY w.pid), E'[{invisible}]', '?', 'g')
  -- without what could control the terminal of psql
  FROM (
        SELECT a.pid,
               -- for sessions of other roles, only roles that may read all statistics see more than pid, role and application
               format(
                   'pid %s (%s): %s',
                   a.pid,
                   concat_ws(', ',
                       coalesce(quote_ident(nullif(a.application_name, '')), 'no application name'), 'role ' || quote_ident(a.usename), a.state,
                       'in a transaction for ' || date_trunc('second', clock_timestamp() - a.xact_start)::text),
                   -- in quotes, because it is not ours
                   '"' || replace(left(btrim(regexp_replace(q.query, E'(/\\*((?!\\*/).)*\\*/|--[^\\n]*|\\s)+', ' ', 'g')), 80),
                                  '"', '""') || CASE WHEN q.query <> a.query THEN '...' ELSE '' END || '"') AS description
          FROM pg_stat_activity AS a
          -- up to a literal, a word for a password, SET, after which a password of an application may stand, or a comment in a comment
         CROSS JOIN LATERAL substring(
                a.query, $$(?i)^(?:/\*(?:(?!/\*|\*/).)*\*/|--[^\n]*(?:\n|$)|(?!pass(?:word|wd|phrase|code)?(?![a-z])|passw|pwd|secret|\mset\M|$$
                      || $$://|--|/\*)(?:[^'"\\$]|"(?:[^"]|"")*"))*$$) AS q (query)
         WHERE a.pid = ANY ($1)
         UNION ALL
        SELECT 0, format('prepared transaction %L of role %I, prepared %s', x.gid, x.owner, x.prepared)
          FROM pg_prepared_xacts AS x
         WHERE 0 = ANY ($1)
       ) AS w
