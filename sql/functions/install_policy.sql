CREATE OR REPLACE PROCEDURE sessiondb.install_policy(p_table regclass, p_name name, p_source text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Creates a policy of a table again.
 *
 * Lock: ACCESS EXCLUSIVE on the table.
 */
BEGIN
    CALL sessiondb.lock_tables('ACCESS EXCLUSIVE', ARRAY[p_table]);
    IF EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = p_table AND p.polname = p_name) THEN
        CALL sessiondb.run_on_platform(format('DROP POLICY %I ON %s', p_name, p_table));
    END IF;
    CALL sessiondb.run_on_platform(p_source);
END
$procedure$
