DO $unlock$ BEGIN PERFORM pg_catalog.pg_advisory_unlock({key}); END $unlock$;
\echo everything is applied
\set ON_ERROR_STOP :sessiondb_on_error_stop
\set QUIET :sessiondb_quiet
\unset sessiondb_on_error_stop
\unset sessiondb_quiet
\unset sessiondb_backend
\unset sessiondb_schemas
\unset sessiondb_platform_path
\unset sessiondb_is_pooled
\unset sessiondb_is_there
\unset sessiondb_statements
\unset sessiondb_is_installed
\unset sessiondb_is_pending
