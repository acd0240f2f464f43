CREATE OR REPLACE FUNCTION sessiondb.slug_of_org(p_org_id uuid)
RETURNS text
LANGUAGE sql
STABLE
SET search_path FROM CURRENT
AS $function$
/*
 * The slug of the organisation as a command line takes it; NULL where it has none.
 */
SELECT CASE
           WHEN o.slug ~ '^[A-Za-z0-9._-]+$' THEN o.slug
           ELSE '''' || pg_catalog.replace(o.slug, '''', '''\''''') || ''''
       END
  FROM (SELECT pg_catalog.to_jsonb(o.*) ->> 'slug'::text AS slug FROM orgs AS o WHERE o.id = p_org_id) AS o
$function$
