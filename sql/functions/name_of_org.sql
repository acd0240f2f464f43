CREATE OR REPLACE FUNCTION sessiondb.name_of_org(p_org_id uuid)
RETURNS text
LANGUAGE sql
STABLE
SET search_path FROM CURRENT
AS $function$
/*
 * What people call the organisation: its name, else its slug, else its id.
 */
SELECT coalesce(
    (SELECT coalesce(pg_catalog.to_jsonb(o.*) ->> 'name'::text, pg_catalog.to_jsonb(o.*) ->> 'slug'::text) FROM orgs AS o WHERE o.id = p_org_id),
    'organisation ' || p_org_id::text)
$function$
