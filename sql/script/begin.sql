-- sessiondb: applies its migrations with psql, for instance: psql -X -d platform -f apply.sql
--
-- Connect directly to the server, or to a pool in session mode: a pooler that gives every transaction another server
-- connection is detected only when it does so.
--
-- It first checks the platform. If it finds problems, it lists them and changes nothing. If it is stopped by a lock
-- timeout, an error or a lost connection, run it again: it resumes where it stopped. (When an interactive session is
-- suspended, the server ends the connection after 3 s of silence, and releases sessiondb's advisory lock; psql then
-- opens another one.)
\set sessiondb_on_error_stop :ON_ERROR_STOP
\set sessiondb_quiet :QUIET
\set ON_ERROR_STOP on
\set QUIET on
DO $alone$
BEGIN
    IF pg_catalog.now() OPERATOR(pg_catalog.<>) pg_catalog.statement_timestamp() THEN
        RAISE EXCEPTION USING
            MESSAGE = 'this script begins and ends its own transactions, but a transaction is already open',
            HINT = 'End it with ROLLBACK, leave out -1, and \set AUTOCOMMIT on.';
    END IF;
END
$alone$;
SELECT pg_catalog.pg_backend_pid() AS sessiondb_backend \gset
