CREATE OR REPLACE FUNCTION sessiondb.restore_links_statements(p_table name)
RETURNS SETOF text
LANGUAGE plpgsql
STABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The statements that give the links saved by a rollback back to their rows, 5,000 in a transaction,
 * and drop the table that kept them. None where nothing was saved.
 */
DECLARE
    v_table text := (SELECT format('%I.%I', i.host_schema, p_table) FROM sessiondb.installation AS i);
    v_saved text := format('sessiondb.%I', 'saved_links_of_' || p_table);
    v_count bigint;
BEGIN
    IF EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = to_regclass(v_table) AND t.tgname = 'zzz_sessiondb_save') THEN
        RETURN NEXT format('DO %L', format(
            'BEGIN CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', %L); DROP TRIGGER zzz_sessiondb_save ON %s; END', v_table, v_table));
    END IF;
    IF to_regclass(v_saved) IS NULL THEN
        RETURN;
    END IF;
    EXECUTE format('SELECT count(*) FROM %s', v_saved) INTO v_count;
    RETURN QUERY SELECT format('CALL sessiondb.restore_links(%L, 5000)', p_table) FROM generate_series(1, v_count, 5000);
    RETURN NEXT format('DROP TABLE %s', v_saved);
END
$function$;

COMMENT ON FUNCTION sessiondb.restore_links_statements(name) IS
    'The statements that give the links saved by a rollback back to their rows';

REVOKE ALL ON FUNCTION sessiondb.restore_links_statements(name) FROM PUBLIC;
