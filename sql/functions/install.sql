CREATE OR REPLACE PROCEDURE sessiondb.install(
    p_kind text, p_parent text, p_name name, p_arguments text, p_migration text, p_source text, p_comment text,
    p_public boolean DEFAULT false, p_where text DEFAULT NULL
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET check_function_bodies = off
AS $procedure$
/*
 * Creates or replaces a function, trigger or policy from its source, and records it. PUBLIC cannot execute a function
 * unless p_public is true; then it can, even if default privileges of the platform withhold that from new functions. A
 * REVOKE on the platform's function by hand is preserved. A trigger or policy that is identical is not replaced, to avoid
 * the lock; a disabled trigger stays disabled, also on one partition, although CREATE OR REPLACE TRIGGER would enable it.
 *
 * p_parent is the table of a trigger or policy, or the schema of a function ("platform" for the platform's). p_where: only
 * if session_id of the table was created by us ("created") or existed before ("found"); then the platform's own triggers
 * may write it, and are not checked before they are adopted.
 *
 * A policy is created only if installation has roles of staff. Exactly the roles of the policies can execute
 * sessions_of_staff(): others would be refused every row.
 *
 * check_function_bodies is off, because functions may refer to each other in any order.
 *
 * Longer than a screen: a branch for each kind of object, with what goes before and after all of them.
 *
 * Lock: SHARE ROW EXCLUSIVE on the table of a trigger, ACCESS EXCLUSIVE on that of a policy, if it is created or replaced.
 */
DECLARE
    v_source text := sessiondb.compile(p_source);
    v_sha256 text := encode(sha256(convert_to(v_source, 'UTF8')), 'hex');
    v_schema name := (SELECT i.platform_schema FROM sessiondb.installation AS i);
    v_table_owner oid := (SELECT ({right_owner(n.oid)}) FROM pg_namespace AS n WHERE n.nspname = v_schema);
    v_object text;
    v_routine oid;
    v_of_others text;
    v_readers text := (SELECT to_jsonb(i) -> 'staff' ->> 'readers' FROM sessiondb.installation AS i);
    v_statement text;
    v_statements text[];
    v_is_new boolean;
BEGIN
    IF p_where IS NOT NULL AND NOT EXISTS (
        SELECT FROM sessiondb.objects AS o
         WHERE o.kind = 'column' AND o.parent = p_parent AND o.name = 'session_id' AND o.origin = p_where)
    THEN
        RETURN;
    END IF;
    IF p_kind = 'policy' AND v_readers IS NULL THEN
        RETURN;
    END IF;
    IF p_kind IN ('trigger', 'policy') THEN
        IF EXISTS (
            SELECT FROM sessiondb.objects AS o
              JOIN (
{facts}
                   ) AS f ON f.facts @> o.facts
             WHERE o.kind = p_kind AND o.parent = p_parent AND o.name = p_name
               AND o.migration = p_migration AND o.sha256 = v_sha256)
        THEN
            RETURN;
        END IF;
    END IF;
    IF p_kind = 'trigger' THEN
        v_object := format('%I.%I', v_schema, p_parent);
        CALL sessiondb.lock_tables('SHARE ROW EXCLUSIVE', v_object);
        v_statements := ARRAY({enabled_states(v_object::regclass, p_name)});
        CALL sessiondb.run_on_platform(v_source);
        FOREACH v_statement IN ARRAY v_statements LOOP
            CALL sessiondb.run_on_platform(v_statement);
        END LOOP;
        v_object := format('TRIGGER %I ON %s', p_name, v_object);
    ELSIF p_kind = 'policy' THEN
        v_object := format('%I.%I', v_schema, p_parent);
        CALL sessiondb.lock_tables('ACCESS EXCLUSIVE', v_object);
        IF EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = to_regclass(v_object) AND p.polname = p_name) THEN
            CALL sessiondb.run_on_platform(format('DROP POLICY %I ON %s', p_name, v_object));
        END IF;
        CALL sessiondb.run_on_platform(v_source);
        v_of_others := (
            SELECT string_agg(format('%s of role %I', f.name, f.role), ', ')
              FROM pg_policy AS p
             CROSS JOIN LATERAL (
{objects_of_others('pg_policy'::regclass, p.oid, v_table_owner)}
                   ) AS f
             WHERE p.polrelid = to_regclass(v_object) AND p.polname = p_name);
        IF v_of_others IS NOT NULL THEN
            RAISE EXCEPTION USING
                ERRCODE = 'object_in_use',
                MESSAGE = regexp_replace(format('policy %s would use %s', p_name, v_of_others), '[{invisible}]', '?', 'g'),
                HINT = 'Drop it, then run sessiondb apply again; or give another expression with --current-user.';
        END IF;
        v_object := format('POLICY %I ON %s', p_name, v_object);
    ELSE
        v_object := format('%I.%I(%s)', CASE p_parent WHEN 'platform' THEN v_schema ELSE p_parent END, p_name, p_arguments);
        v_is_new := p_parent = 'sessiondb' OR to_regprocedure(v_object) IS NULL;
        CALL sessiondb.run_on_platform(v_source);
        v_routine := to_regprocedure(v_object);
        -- a function that another role creates at the same time would be replaced, and would still belong to that role
        IF EXISTS (
            SELECT FROM pg_proc AS p
             WHERE p.oid = v_routine
               AND p.proowner NOT IN (
                    SELECT n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'sessiondb'
                    UNION ALL
{trusted_roles(v_table_owner)}
               ))
        THEN
            RAISE EXCEPTION USING
                ERRCODE = 'object_in_use',
                MESSAGE = format('another role created a function %s at the same time', v_object),
                HINT = 'Drop that function, then run sessiondb apply again.';
        END IF;
        IF NOT p_public THEN
            CALL sessiondb.run_on_platform(format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', v_object));
        ELSIF v_is_new AND NOT has_function_privilege('public', v_object, 'EXECUTE') THEN
            CALL sessiondb.run_on_platform(format('GRANT EXECUTE ON ROUTINE %s TO PUBLIC', v_object));
        END IF;
        v_object := format('ROUTINE %s', v_object);
    END IF;
    IF p_kind = 'policy' OR p_name = 'sessions_of_staff' THEN
        FOR v_statement IN
            SELECT format('REVOKE ALL ON FUNCTION %s FROM %s', p.oid::regprocedure, r.name)
              FROM pg_proc AS p
             CROSS JOIN LATERAL aclexplode(p.proacl) AS a
             CROSS JOIN LATERAL (SELECT coalesce((SELECT quote_ident(g.rolname) FROM pg_roles AS g WHERE g.oid = a.grantee), 'PUBLIC') AS name) AS r
             WHERE p.oid = to_regprocedure('sessiondb.sessions_of_staff(uuid)')
               AND a.grantee <> p.proowner
               AND coalesce(r.name <> ALL (string_to_array(v_readers, ', ')), true)
            UNION ALL
            SELECT format('GRANT EXECUTE ON FUNCTION sessiondb.sessions_of_staff(uuid) TO %s', v_readers)
             WHERE v_readers IS NOT NULL
        LOOP
            CALL sessiondb.run_on_platform(v_statement);
        END LOOP;
        UPDATE sessiondb.objects AS o SET facts = NULL WHERE o.kind = 'function' AND o.name = 'sessions_of_staff';
    END IF;
    CALL sessiondb.run_on_platform(format('COMMENT ON %s IS %L', v_object, p_comment));
    INSERT INTO sessiondb.objects AS o (kind, parent, name, arguments, migration, origin, sha256)
    VALUES (p_kind, p_parent, p_name, p_arguments, p_migration, 'created', v_sha256)
    ON CONFLICT (kind, parent, name) DO UPDATE SET migration = EXCLUDED.migration, sha256 = EXCLUDED.sha256, facts = NULL;
END
$procedure$
