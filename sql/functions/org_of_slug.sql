CREATE OR REPLACE FUNCTION sessiondb.org_of_slug(p_slug text)
RETURNS uuid
LANGUAGE plpgsql STABLE
AS $function$
/*
 * The id of the organisation with this id, as text, or slug; raises no_data_found if there is none.
 * OPERATOR(pg_catalog.=): a slug may be varchar, and the catalog has no "=" for varchar and text.
 */
DECLARE
    v_id pg_catalog.uuid := (SELECT o.id FROM platform.orgs AS o WHERE o.id::pg_catalog.text OPERATOR(pg_catalog.=) p_slug);
BEGIN
    IF v_id IS NULL THEN
        -- not o.slug: without such a column, that would call a function slug(orgs) of another role
        v_id := (SELECT o.id FROM platform.orgs AS o WHERE slug OPERATOR(pg_catalog.=) p_slug);
    END IF;
    IF v_id IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = pg_catalog.format('there is no organisation with the slug "%s"', p_slug),
            HINT = 'Create it with: sessiondb org create --name NAME --slug SLUG';
    END IF;
    RETURN v_id;
END
$function$
