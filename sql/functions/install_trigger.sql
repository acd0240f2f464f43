CREATE OR REPLACE PROCEDURE sessiondb.install_trigger(p_table regclass, p_name name, p_source text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Creates or replaces a trigger of a table. A disabled trigger stays disabled, also on one partition, although CREATE OR REPLACE
 * TRIGGER would enable it.
 *
 * Lock: SHARE ROW EXCLUSIVE on the table.
 */
DECLARE
    v_statement text;
    v_statements text[];
BEGIN
    CALL sessiondb.lock_tables('SHARE ROW EXCLUSIVE', ARRAY[p_table]);
    -- The condition of each of them names this column: NEW.session_id would be a call of a function of any role if it was renamed while
    -- this waited. Not asked of the catalogs, of which the transaction may have an older snapshot.
    CALL sessiondb.run_on_platform(format('SELECT session_id FROM %s LIMIT 0', p_table));
    v_statements := ARRAY({enabled_states(p_table, p_name)});
    CALL sessiondb.run_on_platform(p_source);
    FOREACH v_statement IN ARRAY v_statements LOOP
        CALL sessiondb.run_on_platform(v_statement);
    END LOOP;
END
$procedure$
