CREATE OR REPLACE FUNCTION sessiondb.create_org(p_name text, p_slug text)
RETURNS TABLE (id uuid, name text, slug text, created boolean)
LANGUAGE plpgsql
AS $function$
/*
 * The organisation with this slug, created if there is none; an existing one is not changed. OPERATOR(pg_catalog.=) as in
 * org_of_slug.
 */
#variable_conflict use_column
BEGIN
    IF p_name IS NULL OR p_name OPERATOR(pg_catalog.!~) E'\\S' OR p_slug IS NULL OR p_slug OPERATOR(pg_catalog.!~) E'\\S' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'an organisation needs a name and a slug that are not empty',
            HINT = 'Give both: sessiondb org create --name NAME --slug SLUG';
    END IF;

    FOR v_try IN 1 .. 2 LOOP
        -- not o.slug: without such a column, that would call a function slug(orgs) of another role
        RETURN QUERY
            SELECT o.id::pg_catalog.uuid, ({optional(o, name)}), p_slug, false FROM platform.orgs AS o WHERE slug OPERATOR(pg_catalog.=) p_slug;
        EXIT WHEN FOUND;
        BEGIN
            RETURN QUERY
                INSERT INTO platform.orgs AS o (name, slug) VALUES (p_name, p_slug)
                RETURNING o.id::pg_catalog.uuid, name::pg_catalog.text, slug::pg_catalog.text, true;
            EXIT;
        EXCEPTION WHEN unique_violation THEN
            -- another session may have created it meanwhile: look again
            IF v_try OPERATOR(pg_catalog.=) 2 THEN
                RAISE;
            END IF;
        END;
    END LOOP;
END
$function$
