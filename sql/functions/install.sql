CREATE OR REPLACE PROCEDURE sessiondb.install(
    p_kind text, p_parent text, p_name name, p_arguments text, p_migration text, p_source text, p_comment text,
    p_public boolean DEFAULT false, p_where text DEFAULT NULL
)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Creates or replaces a function, trigger or policy from its source, and records it.
 *
 * p_parent is the table of a trigger or policy, or the schema of a function ("platform" for the platform's). p_public: as for
 * install_routine(). p_where: only if session_id of the table was created by us ("created") or existed before ("found"); then the
 * platform's own triggers may write it, and are not checked before they are adopted.
 *
 * A trigger or policy that is identical is not replaced, to avoid the lock. A policy is created only if installation has
 * roles of staff.
 */
DECLARE
    v_source text := sessiondb.compile(p_source);
    v_sha256 text := encode(sha256(convert_to(v_source, 'UTF8')), 'hex');
    v_schema name := (SELECT i.platform_schema FROM sessiondb.installation AS i);
    v_object text := format('%I.%I', CASE WHEN p_kind = 'function' AND p_parent <> 'platform' THEN p_parent ELSE v_schema END,
                            CASE WHEN p_kind = 'function' THEN p_name ELSE p_parent END);
BEGIN
    IF p_where IS NOT NULL AND NOT EXISTS (
        SELECT FROM sessiondb.objects AS o
         WHERE o.kind = 'column' AND o.parent = p_parent AND o.name = 'session_id' AND o.origin = p_where)
    THEN
        RETURN;
    END IF;
    IF p_kind = 'policy' AND (SELECT to_jsonb(i) ->> 'staff' FROM sessiondb.installation AS i) IS NULL THEN
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
    CASE p_kind
        WHEN 'trigger' THEN
            CALL sessiondb.install_trigger(v_object::regclass, p_name, v_source);
            v_object := format('TRIGGER %I ON %s', p_name, v_object);
        WHEN 'policy' THEN
            CALL sessiondb.install_policy(v_object::regclass, p_name, v_source);
            v_object := format('POLICY %I ON %s', p_name, v_object);
        ELSE
            v_object := format('%s(%s)', v_object, p_arguments);
            CALL sessiondb.install_routine(v_object, v_source, p_public);
            v_object := format('ROUTINE %s', v_object);
    END CASE;
    IF p_kind = 'policy' OR p_name IN ({functions_of_policies()}) THEN
        CALL sessiondb.grant_to_readers();
    END IF;
    CALL sessiondb.run_on_platform(format('COMMENT ON %s IS %L', v_object, p_comment));
    INSERT INTO sessiondb.objects AS o (kind, parent, name, arguments, migration, origin, sha256)
    VALUES (p_kind, p_parent, p_name, p_arguments, p_migration, 'created', v_sha256)
    ON CONFLICT (kind, parent, name) DO UPDATE SET migration = EXCLUDED.migration, sha256 = EXCLUDED.sha256, facts = NULL;
END
$procedure$
