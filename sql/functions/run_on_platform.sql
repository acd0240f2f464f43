CREATE OR REPLACE PROCEDURE sessiondb.run_on_platform(p_statement text)
LANGUAGE plpgsql
AS $procedure$
/*
 * Runs a statement under the search_path that the connection began with, for the event triggers of the platform, and
 * whatever else of its own the statement makes run. To be called where the path is pinned, which it is afterwards.
 *
 * Between the two settings stands nothing but the statement: an expression there would be looked up in the platform's
 * schemas.
 */
BEGIN
    SET LOCAL search_path TO DEFAULT;
    EXECUTE p_statement;
    SET LOCAL search_path TO pg_catalog, pg_temp;
END
$procedure$
