CREATE OR REPLACE FUNCTION sessiondb.explain_user(p_user_id uuid, OUT is_missing boolean, OUT detail text)
LANGUAGE plpgsql STABLE
AS $function$
/*
 * Says of a user who is nowhere to be seen whether there is such a user at all: the id may be mistyped. Whether there
 * is, the table says that user_id refers to, where the platform has one that the caller may read. detail is NULL for a
 * user who has rows.
 */
DECLARE
    v_users pg_catalog.regclass;
    v_key pg_catalog.name;
    v_found boolean;
BEGIN
    is_missing := false;
    IF p_user_id IS NULL
        OR EXISTS (SELECT FROM platform.org_members AS m WHERE m.user_id OPERATOR(pg_catalog.=) p_user_id)
        OR EXISTS (SELECT FROM platform.enrollments AS e WHERE e.user_id OPERATOR(pg_catalog.=) p_user_id)
        OR EXISTS (SELECT FROM platform.submissions AS b WHERE b.user_id OPERATOR(pg_catalog.=) p_user_id)
    THEN
        RETURN;
    END IF;
    detail := pg_catalog.format('User %s has no membership, no enrolment and no submission; the id may be wrong.', p_user_id);

    SELECT t.users, t.key INTO v_users, v_key FROM sessiondb.table_of_users() AS t;
    IF v_users IS NULL THEN
        RETURN;
    END IF;
    EXECUTE pg_catalog.format('SELECT EXISTS (SELECT FROM %s AS u WHERE u.%I OPERATOR(pg_catalog.=) $1)', v_users, v_key) INTO v_found USING p_user_id;
    is_missing := NOT v_found;
    detail := CASE
        WHEN v_found THEN pg_catalog.format('User %s has no membership, no enrolment and no submission.', p_user_id)
        ELSE pg_catalog.format('There is no user %s in table %s.', p_user_id, v_users)
    END;
END
$function$
