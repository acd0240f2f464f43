\set sessiondb_is_installed false
SELECT current_setting('sessiondb.schema_oid') <> '0' AS sessiondb_is_there \gset
\if :sessiondb_is_there
SELECT to_regclass('sessiondb._yoyo_migration') IS NOT NULL
   AND to_regclass('sessiondb.migration_content') IS NOT NULL
   AND to_regclass('sessiondb.installation') IS NOT NULL AS sessiondb_is_installed \gset
\endif
\if :sessiondb_is_installed
BEGIN;
{hold};
DO $installed$
DECLARE
    v_schema text := current_setting('sessiondb.schema');
    v_installed record;
    v_other text;
BEGIN
    SELECT i.platform_schema::text, i.course_path, i.version, to_jsonb(i) -> 'staff' AS staff INTO v_installed FROM sessiondb.installation AS i;
    IF string_to_array(substring(v_installed.version, '^[0-9]+(?:\.[0-9]+)*'), '.')::integer[]
       > string_to_array(substring('{version}', '^[0-9]+(?:\.[0-9]+)*'), '.')::integer[]
    THEN
        RAISE EXCEPTION USING
            MESSAGE = format('this database was set up by sessiondb %s, but this script is from sessiondb {version}', v_installed.version),
            HINT = format('Write the script with sessiondb %s or later.', v_installed.version);
    END IF;
    IF v_installed.platform_schema <> v_schema
       AND v_schema IS DISTINCT FROM ({moved_to(v_installed.platform_schema)})
       AND EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = v_installed.platform_schema::name)
    THEN
        RAISE EXCEPTION USING
            MESSAGE = format('sessiondb is installed in this database for schema "%s", not "%s"', v_installed.platform_schema, v_schema),
            HINT = 'Write the script with --schema, or roll that installation back first: sessiondb rollback --all';
    END IF;
    SELECT string_agg(m.migration_id, ', ' ORDER BY m.migration_id)
      INTO v_other
      FROM sessiondb.migration_content AS m
     WHERE (m.migration_id, m.sha256) NOT IN (VALUES {migrations});
    IF v_other IS NOT NULL THEN
        RAISE EXCEPTION USING
            MESSAGE = format('applied migrations are missing from this script, or differ in it: %s', v_other),
            HINT = 'Write the script with the version of sessiondb that applied them, or a newer one.';
    END IF;
    -- the chosen course path and roles of staff are kept, unless the script names others
    IF {keeps_staff} THEN
        PERFORM set_config('sessiondb.staff', coalesce(v_installed.staff ->> 'roles', ''), false);
    END IF;
    IF current_setting('sessiondb.user_expression') = '' THEN
        PERFORM set_config('sessiondb.user_expression', coalesce(v_installed.staff ->> 'current_user', ''), false);
    END IF;
    IF current_setting('sessiondb.course_path') = '' AND v_installed.course_path IS NOT NULL THEN
        PERFORM set_config('sessiondb.course_path', v_installed.course_path, false);
    END IF;
END
$installed$;
COMMIT;
\endif
\set sessiondb_is_pending true
