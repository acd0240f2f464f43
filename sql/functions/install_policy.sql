CREATE OR REPLACE PROCEDURE sessiondb.install_policy(p_table regclass, p_name name, p_source text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Creates a policy of a table again, unless it would use something of a role that is not trusted, which may have created it
 * since preflight looked.
 *
 * Lock: ACCESS EXCLUSIVE on the table.
 */
DECLARE
    v_table_owner oid := (SELECT ({right_owner(c.relnamespace)}) FROM pg_class AS c WHERE c.oid = p_table);
    v_of_others text;
BEGIN
    CALL sessiondb.lock_tables('ACCESS EXCLUSIVE', p_table);
    v_of_others := sessiondb.types_of_others(p_source, v_table_owner);  -- to parse it may run a CHECK
    IF v_of_others IS NULL THEN
        IF EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = p_table AND p.polname = p_name) THEN
            CALL sessiondb.run_on_platform(format('DROP POLICY %I ON %s', p_name, p_table));
        END IF;
        CALL sessiondb.run_on_platform(p_source);
        v_of_others := (
            SELECT string_agg(format('%s of role %I', f.name, f.role), ', ')
              FROM pg_policy AS p
             CROSS JOIN LATERAL (
{objects_of_others('pg_policy'::regclass, p.oid, v_table_owner)}
                   ) AS f
             WHERE p.polrelid = p_table AND p.polname = p_name);
    END IF;
    IF v_of_others IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_in_use',
            MESSAGE = regexp_replace(format('policy %s would use %s', p_name, v_of_others), '[{invisible}]', '?', 'g'),
            HINT = 'Drop it, then run sessiondb apply again; or give another expression with --current-user.';
    END IF;
END
$procedure$
