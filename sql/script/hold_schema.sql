-- Keeps schema sessiondb from being dropped or replaced until the transaction ends, if it is still the one that was looked at.
DO 'BEGIN
    IF pg_catalog.to_regclass(''sessiondb.installation'') IS NOT NULL THEN
        LOCK TABLE sessiondb.installation IN ACCESS SHARE MODE;
    END IF;
    IF pg_catalog.to_regnamespace(''sessiondb'')::pg_catalog.oid::pg_catalog.text OPERATOR(pg_catalog.=)
            pg_catalog.current_setting(''sessiondb.schema_oid'') THEN
        RETURN;
    END IF;
    RAISE EXCEPTION ''schema sessiondb was dropped or replaced meanwhile'';
END';
