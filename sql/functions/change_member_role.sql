CREATE OR REPLACE FUNCTION sessiondb.change_member_role(p_org_id uuid, p_user_id uuid, p_role text)
RETURNS TABLE (org_id uuid, user_id uuid, role text, changed boolean)
LANGUAGE plpgsql
AS $function$
/*
 * Changes the role of a member of the organisation; raises no_data_found if the user is not a member. changed is false
 * if the member had the role already.
 */
#variable_conflict use_column
DECLARE
    v_role platform.org_members.role%TYPE;
    v_before pg_catalog.text;
BEGIN
    IF p_role OPERATOR(pg_catalog.!~) E'\\S' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'the role of a member cannot be empty',
            HINT = 'Name a role, for instance student.';
    END IF;

    SELECT role::pg_catalog.text
      INTO v_before
      FROM platform.org_members AS m
     WHERE m.org_id OPERATOR(pg_catalog.=) p_org_id AND m.user_id OPERATOR(pg_catalog.=) p_user_id
       FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = pg_catalog.format('user %s is not a member of %s', sessiondb.name_of('user', p_user_id), sessiondb.name_of('org', p_org_id)),
            HINT = 'List the members with: sessiondb member list --org ' OPERATOR(pg_catalog.||) sessiondb.shell_name('org', p_org_id);
    END IF;
    v_role := p_role;
    RETURN QUERY
        UPDATE platform.org_members AS m
           SET role = v_role
         WHERE m.org_id OPERATOR(pg_catalog.=) p_org_id AND m.user_id OPERATOR(pg_catalog.=) p_user_id
        RETURNING m.org_id::pg_catalog.uuid, m.user_id::pg_catalog.uuid, role::pg_catalog.text,
                  COALESCE(role::pg_catalog.text OPERATOR(pg_catalog.<>) v_before, true);
END
$function$
