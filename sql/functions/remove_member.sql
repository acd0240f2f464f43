CREATE OR REPLACE FUNCTION sessiondb.remove_member(p_org_id uuid, p_user_id uuid)
RETURNS TABLE (org_id uuid, user_id uuid, role text)
LANGUAGE plpgsql
AS $function$
/*
 * Ends the membership of the user in the organisation; raises no_data_found if the user is not a member. Linked rows stay
 * linked.
 */
#variable_conflict use_column
BEGIN
    RETURN QUERY
        DELETE FROM platform.org_members AS m
         WHERE m.org_id OPERATOR(pg_catalog.=) p_org_id AND m.user_id OPERATOR(pg_catalog.=) p_user_id
        RETURNING m.org_id::pg_catalog.uuid, m.user_id::pg_catalog.uuid, m.role::pg_catalog.text;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = pg_catalog.format('user %s is not a member of %s', sessiondb.name_of('user', p_user_id), sessiondb.name_of('org', p_org_id)),
            HINT = 'List the members with: sessiondb member list --org ' OPERATOR(pg_catalog.||) sessiondb.shell_name('org', p_org_id);
    END IF;
END
$function$
