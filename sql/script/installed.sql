SELECT pg_catalog.to_regclass('sessiondb._yoyo_migration') IS NOT NULL AS sessiondb_is_installed \gset
\if :sessiondb_is_installed
DO $installed$
DECLARE
    v_schema text := pg_catalog.current_setting('sessiondb.schema');
    v_path text := nullif(pg_catalog.current_setting('sessiondb.course_path'), '');
    v_installed record;
    v_other text;
BEGIN
    SELECT i.platform_schema::text, i.course_path INTO v_installed FROM sessiondb.installation AS i;
    IF v_installed.platform_schema <> v_schema THEN
        RAISE EXCEPTION USING
            MESSAGE = pg_catalog.format('sessiondb is installed in this database for schema "%s", not "%s"', v_installed.platform_schema, v_schema),
            HINT = 'Write the script with --schema, or roll that installation back first: sessiondb rollback --all';
    END IF;
    IF pg_catalog.parse_ident(v_path) OPERATOR(pg_catalog.<>) pg_catalog.parse_ident(v_installed.course_path) THEN
        RAISE EXCEPTION USING
            MESSAGE = pg_catalog.format('sessiondb is installed with the course path %s', v_installed.course_path),
            HINT = 'Write the script without --course-path, or first: sessiondb rollback --to 0007';
    END IF;
    SELECT pg_catalog.string_agg(m.migration_id, ', ' ORDER BY m.migration_id)
      INTO v_other
      FROM sessiondb.migration_content AS m
     WHERE (m.migration_id, m.sha256) NOT IN (VALUES {migrations});
    IF v_other IS NOT NULL THEN
        RAISE EXCEPTION USING
            MESSAGE = pg_catalog.format('migrations are applied here that this script does not have, or has otherwise: %s', v_other),
            HINT = 'Write the script with the version of sessiondb that applied them, or a newer one.';
    END IF;
END
$installed$;
SELECT pg_catalog.count(*) < {count} AS sessiondb_is_pending FROM sessiondb._yoyo_migration \gset
\else
\set sessiondb_is_pending true
\endif
