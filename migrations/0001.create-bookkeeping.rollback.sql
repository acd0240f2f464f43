-- Drops the ledger and what we know of the platform. The tables that keep saved links stay, and with them
-- the schema: a later apply restores the links.
--
-- Locks: none on the platform's tables. If the process dies: nothing was committed; run rollback again.
--
-- squawk-ignore-file ban-drop-table

DO $rollback$
DECLARE
    v_saved pg_catalog.regclass;
    v_holds_links boolean;
BEGIN
    FOR v_saved IN
        SELECT c.oid
          FROM pg_catalog.pg_class AS c
         WHERE c.relnamespace OPERATOR(pg_catalog.=) 'sessiondb'::pg_catalog.regnamespace::pg_catalog.oid
           AND c.relkind OPERATOR(pg_catalog.=) 'r'
           AND pg_catalog.starts_with(c.relname, 'saved_links_of_')
    LOOP
        EXECUTE pg_catalog.format('SELECT EXISTS (SELECT 1 FROM %s WHERE session_id IS NOT NULL)', v_saved) INTO v_holds_links;
        IF NOT v_holds_links THEN
            EXECUTE pg_catalog.format('DROP TABLE %s', v_saved);
        END IF;
    END LOOP;
    -- left where the platform's table was dropped while links were saved
    FOR v_saved IN
        SELECT c.oid
          FROM pg_catalog.pg_class AS c
         WHERE c.relnamespace OPERATOR(pg_catalog.=) 'sessiondb'::pg_catalog.regnamespace::pg_catalog.oid
           AND c.relkind OPERATOR(pg_catalog.=) 'r'
           AND pg_catalog.starts_with(c.relname, 'changed_rows_of_')
    LOOP
        EXECUTE pg_catalog.format('DROP TABLE %s', v_saved);
    END LOOP;
END
$rollback$;

DROP TABLE IF EXISTS sessiondb.objects, sessiondb.installation, sessiondb.migration_content;
DROP TABLE IF EXISTS sessiondb._yoyo_version, sessiondb._yoyo_log, sessiondb._yoyo_migration;

DO $rollback$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.relnamespace OPERATOR(pg_catalog.=) 'sessiondb'::pg_catalog.regnamespace::pg_catalog.oid) THEN
        DROP SCHEMA sessiondb;
    END IF;
END
$rollback$;
