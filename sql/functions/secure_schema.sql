CREATE OR REPLACE PROCEDURE sessiondb.secure_schema()
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * After something was created in schema sessiondb, in the same transaction: revokes what default privileges granted on it, gives it
 * to the owner of the schema, and lets only that role write to its tables. The grants first, which depend on who created it.
 */
DECLARE
    v_statement text;
BEGIN
    FOREACH v_statement IN ARRAY ARRAY(
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
         ORDER BY s.turn, s.place, s.statement)
    LOOP
        CALL sessiondb.run_on_platform(v_statement);
        IF starts_with(v_statement, 'REVOKE') THEN
            RAISE NOTICE 'default privileges of the platform withdrawn: %', v_statement;
        END IF;
    END LOOP;
END
$procedure$
