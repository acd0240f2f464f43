-- The server accepts writes and has a supported version.
SELECT 'server' AS "check", 'error' AS level, f.object, f.detail, f.fix
  FROM (VALUES
        (pg_is_in_recovery(),
         'server',
         'The server is a standby: it accepts no writes.',
         'Connect to the primary, for instance with target_session_attrs=read-write in the DSN.'),
        (NOT pg_is_in_recovery() AND current_setting('default_transaction_read_only')::boolean,
         'default_transaction_read_only',
         'Transactions are read-only by default on this connection.',
         'Connect as a role or to a database without default_transaction_read_only.'),
        (current_setting('server_version_num')::integer < 140000,
         'server',
         format('PostgreSQL %s is older than 14.', current_setting('server_version')),
         'Upgrade the server to PostgreSQL 14 or later.')
       ) AS f (found, object, detail, fix)
 WHERE f.found
