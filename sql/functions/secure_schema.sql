CREATE OR REPLACE PROCEDURE sessiondb.secure_schema()
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * After something was created in schema sessiondb, in the same transaction: revokes what default privileges granted on it, gives it
 * to the owner of the schema, and lets only that role write to its tables. The grants first, which depend on who created it.
 */
DECLARE
    v_statements text[];
    v_statement text;
BEGIN
    -- again, because an event trigger of the platform may grant what was revoked when a table is altered
    FOR v_pass IN 1..3 LOOP
        v_statements := ARRAY(
            SELECT s.statement
              FROM (
                    SELECT 1 AS turn, g.place, g.statement
                      FROM (
{default_grants()}
                           ) AS g
                    UNION ALL
                    SELECT 2, o.place, o.statement
                      FROM (
{owners_to_unify()}
                           ) AS o
                    UNION ALL
                    SELECT 3, t.place, t.statement
                      FROM (
{tables_to_protect()}
                           ) AS t
                   ) AS s
             ORDER BY s.turn, s.place, s.statement);
        EXIT WHEN v_statements = '{}';
        FOREACH v_statement IN ARRAY v_statements LOOP
            CALL sessiondb.run_on_platform(v_statement);
            IF starts_with(v_statement, 'REVOKE') AND v_pass = 1 THEN
                RAISE NOTICE 'default privileges of the platform withdrawn: %', v_statement;
            END IF;
        END LOOP;
    END LOOP;
    SELECT s.statement INTO v_statement FROM unnest(v_statements) AS s (statement) WHERE starts_with(s.statement, 'REVOKE') LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'an event trigger of the platform grants again what is revoked: %', v_statement
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Let it leave schema sessiondb out.';
    END IF;
END
$procedure$
