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
 * The body of current_user_id() is parsed and must not use anything of a role that is not trusted, which may have created
 * it since preflight looked.
 *
 * check_function_bodies is off, because functions may refer to each other in any order.
 */
DECLARE
    v_table_owner oid := (
        SELECT ({right_owner(n.oid)}) FROM sessiondb.installation AS i JOIN pg_namespace AS n ON n.nspname = i.platform_schema);
    v_is_new boolean := starts_with(p_routine, 'sessiondb.') OR to_regprocedure(p_routine) IS NULL;
    v_is_parsed boolean := p_routine = 'sessiondb.current_user_id()';
    v_of_others text;
BEGIN
    IF v_is_parsed THEN
        v_of_others := sessiondb.types_of_others(p_source, v_table_owner);  -- to parse it may run a CHECK
    END IF;
    IF v_of_others IS NULL THEN
        CALL sessiondb.run_on_platform(p_source);
    END IF;
    IF v_is_parsed AND v_of_others IS NULL THEN
        v_of_others := (
            SELECT string_agg(format('%s of role %I', f.name, f.role), ', ')
              FROM (SELECT to_regprocedure(p_routine)::oid AS oid) AS r
             CROSS JOIN LATERAL (
{objects_of_others(r.oid, v_table_owner)}
                   ) AS f);
    END IF;
    -- a function that another role creates at the same time would be replaced, and would still belong to that role
    IF EXISTS (
        SELECT FROM pg_proc AS p
         WHERE p.oid = to_regprocedure(p_routine)
           AND p.proowner NOT IN (
                SELECT n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'sessiondb'
                UNION ALL
{trusted_roles(v_table_owner)}
               ))
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_in_use',
            MESSAGE = regexp_replace(format('another role created a function %s at the same time', p_routine), E'[{invisible}]', '?', 'g'),
            HINT = 'Drop that function, then run sessiondb apply again.';
    END IF;
    IF v_of_others IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_in_use',
            MESSAGE = regexp_replace(format('function %s would use %s', p_routine, v_of_others), E'[{invisible}]', '?', 'g'),
            HINT = 'Drop it, then run sessiondb apply again; or give another expression with --current-user.';
    END IF;
    IF NOT p_public THEN
        CALL sessiondb.run_on_platform(format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', p_routine));
    ELSIF v_is_new AND NOT has_function_privilege('public', p_routine, 'EXECUTE') THEN
        CALL sessiondb.run_on_platform(format('GRANT EXECUTE ON ROUTINE %s TO PUBLIC', p_routine));
    END IF;
END
$procedure$
