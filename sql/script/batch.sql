-- sessiondb: applies its migrations as one statement that every tool can run: paste it into a web editor, put it into a
-- folder of migrations, or send it with a driver. It is one transaction, its own or the one that you run it in.
--
-- Each of the tables sessions, org_members, enrollments and submissions is locked until the end: writers wait while
-- indexes are built and foreign keys are validated, readers from the first column on. Measured on two cores, everything in
-- memory: 2 s for 390,000 submissions, 4 s for 1,300,000. Beyond a million rows, or if no writer may wait, use
-- sessiondb apply instead, which locks each table for moments only. A statement_timeout applies to the whole
-- statement: SET statement_timeout TO 0 in your session first. The transaction must be READ COMMITTED, the default.
--
-- It first checks the platform. If it finds problems, it lists them and changes nothing. Running it again reports that
-- there is nothing to do. Afterwards, use sessiondb apply, check and rollback as usual.
DO $sessiondb_batch$
DECLARE
    v_before pg_catalog.text;
    v_after pg_catalog.text;
    v_said pg_catalog.text;
    v_is_pending boolean;
    v_texts pg_catalog.text[];
    v_statement pg_catalog.text;
    v_statements pg_catalog.text[];
    v_settings pg_catalog.jsonb;
    v_state pg_catalog.text;
    v_message pg_catalog.text;
    v_detail pg_catalog.text;
    v_hint pg_catalog.text;
    v_context pg_catalog.text;
BEGIN
{statements}
EXCEPTION WHEN query_canceled OR OTHERS THEN
    -- raised again without its context, which holds the failed statement, up to 340 kB that hide the message
    GET STACKED DIAGNOSTICS
        v_state := RETURNED_SQLSTATE, v_message := MESSAGE_TEXT, v_detail := PG_EXCEPTION_DETAIL,
        v_hint := PG_EXCEPTION_HINT, v_context := PG_EXCEPTION_CONTEXT;
    RAISE EXCEPTION USING
        ERRCODE = v_state,
        MESSAGE = v_message,
        DETAIL = pg_catalog.concat_ws(
            pg_catalog.chr(10),
            CASE WHEN v_detail OPERATOR(pg_catalog.<>) '' THEN v_detail END,
            pg_catalog.format(
                'Line %s of the DO statement: %s',
                pg_catalog.substring(v_context, '.* line ([0-9]+) at '),
                pg_catalog.regexp_replace(
                    pg_catalog.split_part(
                        pg_catalog.substring(v_context, '.*SQL statement "(.{1,200})'), pg_catalog.chr(10), 1),
                    '"$', ''))),
        HINT = CASE
            WHEN v_hint OPERATOR(pg_catalog.<>) '' THEN v_hint
            ELSE 'Nothing was changed. Run the whole text again after the fix.'
        END;
END
$sessiondb_batch$;
