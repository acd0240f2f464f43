CREATE OR REPLACE FUNCTION sessiondb.add_member(p_org_slug text, p_user_id uuid, p_role text DEFAULT 'student')
RETURNS TABLE (org_id uuid, user_id uuid, role text, created boolean)
LANGUAGE plpgsql
AS $function$
/*
 * Adds the user to the organisation; an existing member keeps their role. The platform's own foreign key verifies that
 * the user exists.
 */
#variable_conflict use_column
DECLARE
    v_org_id pg_catalog.uuid := sessiondb.org_of_slug(p_org_slug);
    v_role platform.org_members.role%TYPE;
BEGIN
    IF p_role OPERATOR(pg_catalog.!~) E'\\S' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'the role of a member cannot be empty',
            HINT = 'Leave it out to make the user a student.';
    END IF;

    FOR v_try IN 1 .. 2 LOOP
        RETURN QUERY
            SELECT m.org_id::pg_catalog.uuid, m.user_id::pg_catalog.uuid, role::pg_catalog.text, false
              FROM platform.org_members AS m
             WHERE m.org_id OPERATOR(pg_catalog.=) v_org_id AND m.user_id OPERATOR(pg_catalog.=) p_user_id
             LIMIT 1;
        EXIT WHEN FOUND;
        v_role := p_role;
        BEGIN
            RETURN QUERY
                INSERT INTO platform.org_members AS m (org_id, user_id, role) VALUES (v_org_id, p_user_id, v_role)
                RETURNING m.org_id::pg_catalog.uuid, m.user_id::pg_catalog.uuid, role::pg_catalog.text, true;
            EXIT;
        EXCEPTION WHEN unique_violation THEN
            -- another session may have added the same user meanwhile: look again
            IF v_try OPERATOR(pg_catalog.=) 2 THEN
                RAISE;
            END IF;
        END;
    END LOOP;
END
$function$
