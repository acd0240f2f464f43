SELECT pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.<>) :sessiondb_backend AS sessiondb_is_pooled \gset
\if :sessiondb_is_pooled
DO $pooler$
BEGIN
    RAISE EXCEPTION USING
        MESSAGE = 'a pooler gives every transaction another server connection, so a lock would be lost between two of them',
        HINT = 'Connect directly to the server, or to a pool in session mode, and run the script again.';
END
$pooler$;
\endif
