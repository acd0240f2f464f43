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
        -- without their table, or a role that is no column would be a call of a function
        DELETE FROM platform.org_members
         WHERE org_id OPERATOR(pg_catalog.=) p_org_id AND user_id OPERATOR(pg_catalog.=) p_user_id
        RETURNING org_id::pg_catalog.uuid, user_id::pg_catalog.uuid, role::pg_catalog.text;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = pg_catalog.format('user %s is not a member of %s', sessiondb.name_of('user', p_user_id), sessiondb.name_of('org', p_org_id)),
            HINT = 'List the members with: sessiondb member list --org ' OPERATOR(pg_catalog.||) sessiondb.shell_name('org', p_org_id);
    END IF;
END
$function$
