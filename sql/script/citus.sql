-- Notes whether the platform's tables are distributed, for the statements and the functions that differ there.
DO $citus$
BEGIN
    PERFORM set_config('sessiondb.citus', '', $1);
    IF to_regclass('pg_catalog.pg_dist_partition') IS NOT NULL THEN
        EXECUTE $topology$
            SELECT set_config('sessiondb.citus', (
{citus_topology()}
            ), $1)
        $topology$;
    END IF;
END
$citus$;
