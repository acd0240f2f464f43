CREATE OR REPLACE FUNCTION sessiondb.member_command(p_org_id uuid, p_user_id uuid)
RETURNS text
LANGUAGE sql
STABLE
STRICT
SET search_path FROM CURRENT
AS $function$
/*
 * The command that makes the user a member. It names the organisation by its slug; where the platform has no slugs,
 * only SQL can do it.
 */
SELECT coalesce(
    'sessiondb member add --org ' || sessiondb.slug_of_org(p_org_id) || ' --user ' || p_user_id::text,
    pg_catalog.format('INSERT INTO %I.org_members (org_id, user_id) VALUES (%L, %L)', pg_catalog.current_schema(), p_org_id, p_user_id))
$function$
