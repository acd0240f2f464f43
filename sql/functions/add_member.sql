CREATE OR REPLACE FUNCTION sessiondb.add_member(p_org_slug text, p_user_id uuid, p_role text DEFAULT 'student')
RETURNS TABLE (org_id uuid, user_id uuid, role text, created boolean)
LANGUAGE plpgsql
SET search_path FROM CURRENT
AS $function$
/*
 * Makes the user a member of the organisation; one who is a member already keeps the role he has. Whether the user
 * exists is for the platform's own foreign key to say.
 */
#variable_conflict use_column
DECLARE
    v_org_id uuid := sessiondb.org_of_slug(p_org_slug);
    v_role org_members.role%TYPE;
BEGIN
    IF p_role !~ '\S' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'the role of a member cannot be empty',
            HINT = 'Leave it out to make the user a student.';
    END IF;

    RETURN QUERY
        SELECT m.org_id, m.user_id, m.role::text, false
          FROM org_members AS m
         WHERE m.org_id = v_org_id AND m.user_id = p_user_id
         LIMIT 1;
    IF NOT FOUND THEN
        v_role := p_role;
        RETURN QUERY
            INSERT INTO org_members AS m (org_id, user_id, role) VALUES (v_org_id, p_user_id, v_role)
            RETURNING m.org_id, m.user_id, m.role::text, true;
    END IF;
END
$function$
