CREATE OR REPLACE PROCEDURE sessiondb.install_routine(p_routine text, p_source text, p_public boolean)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET check_function_bodies = off
AS $procedure$
/*
 * Creates or replaces a function or procedure, p_routine with the types of its arguments. PUBLIC cannot execute it unless
 * p_public is true; then it can, even if default privileges of the platform withhold that from new functions. A
 * REVOKE on the platform's function by hand is preserved.
 *
 * check_function_bodies is off, because functions may refer to each other in any order.
 */
DECLARE
    v_is_new boolean := starts_with(p_routine, 'sessiondb.') OR to_regprocedure(p_routine) IS NULL;
BEGIN
    CALL sessiondb.run_on_platform(p_source);
    -- a function that another role creates at the same time would be replaced, and would still belong to that role
    IF EXISTS (
        SELECT FROM pg_proc AS p
         WHERE p.oid = to_regprocedure(p_routine)
           AND p.proowner NOT IN (
                SELECT n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'sessiondb'
                UNION ALL
                SELECT t.oid
                  FROM sessiondb.installation AS i
                  JOIN pg_namespace AS n ON n.nspname = i.platform_schema
                 CROSS JOIN LATERAL (SELECT ({right_owner(n.oid)}) AS owner) AS o
                 CROSS JOIN LATERAL (
{trusted_roles(o.owner)}
                       ) AS t))
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_in_use',
            MESSAGE = regexp_replace(format('another role created a function %s at the same time', p_routine), '[{invisible}]', '?', 'g'),
            HINT = 'Drop that function, then run sessiondb apply again.';
    END IF;
    IF NOT p_public THEN
        CALL sessiondb.run_on_platform(format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', p_routine));
    ELSIF v_is_new AND NOT has_function_privilege('public', p_routine, 'EXECUTE') THEN
        CALL sessiondb.run_on_platform(format('GRANT EXECUTE ON ROUTINE %s TO PUBLIC', p_routine));
    END IF;
END
$procedure$
