CREATE OR REPLACE PROCEDURE sessiondb.run_on_platform(p_statement text)
LANGUAGE plpgsql
AS $procedure$
/*
 * Runs a statement under the initial search_path of the connection, which the platform's event triggers and other code
 * that the statement fires expect. To be called under a pinned path, which is restored.
 *
 * There is nothing but the statement between the two settings: names in an expression there would be looked up in the
 * platform's schemas.
 */
BEGIN
    PERFORM pg_catalog.set_config('search_path', sessiondb.platform_path(), true);
    EXECUTE p_statement;
    SET LOCAL search_path TO pg_catalog, pg_temp;
END
$procedure$
