CREATE OR REPLACE FUNCTION sessiondb.slug_of_org(p_org_id uuid)
RETURNS text
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * The slug of the organisation as a command line takes it; SLUG where there is none to name.
 */
SELECT coalesce(
    (SELECT CASE
                WHEN pg_catalog.to_jsonb(o) ->> 'slug'::text ~ '^[A-Za-z0-9._-]+$' THEN pg_catalog.to_jsonb(o) ->> 'slug'::text
                ELSE pg_catalog.concat('''', pg_catalog.replace(pg_catalog.to_jsonb(o) ->> 'slug'::text, '''', '''\'''''), '''')
            END
       FROM orgs AS o WHERE o.id = p_org_id),
    'SLUG')
$function$;

COMMENT ON FUNCTION sessiondb.slug_of_org(uuid) IS 'The slug of an organisation, quoted for a shell where it needs to be';
