-- sessiondb: applies its migrations with psql, for instance: psql -X -d platform -f apply.sql
--
-- Connect to the server itself, or to a pool in session mode: a pooler that gives every transaction another server
-- connection is noticed only when it does.
--
-- It looks at the platform first and refuses it, with all that it found, before anything is changed. Where it is
-- stopped, by a lock that is not to be had in time, by an error or by the end of the connection, run it again: it goes
-- on where it was stopped. (In an interactive session that is stopped, the server ends the connection after 3 s of
-- silence, and sessiondb's advisory lock with it; psql then makes another one.)
\set sessiondb_on_error_stop :ON_ERROR_STOP
\set sessiondb_quiet :QUIET
\set ON_ERROR_STOP on
\set QUIET on
DO $alone$
BEGIN
    IF pg_catalog.now() OPERATOR(pg_catalog.<>) pg_catalog.statement_timestamp() THEN
        RAISE EXCEPTION USING
            MESSAGE = 'this script begins and ends its transactions itself, and there is one already',
            HINT = E'End it with ROLLBACK, leave out -1, and \\set AUTOCOMMIT on.';
    END IF;
END
$alone$;
SELECT pg_catalog.pg_backend_pid() AS sessiondb_backend \gset
