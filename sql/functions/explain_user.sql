CREATE OR REPLACE FUNCTION sessiondb.explain_user(p_user_id uuid, OUT is_missing boolean, OUT detail text)
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
AS $function$
/*
 * Says of a user who is nowhere to be seen whether there is such a user at all: the id may be mistyped. Whether there
 * is, the table says that user_id refers to, where the platform has one that the caller may read. detail is NULL for a
 * user who has rows.
 */
DECLARE
    v_users regclass;
    v_key name;
    v_found boolean;
BEGIN
    is_missing := false;
    IF p_user_id IS NULL
        OR EXISTS (SELECT FROM org_members AS m WHERE m.user_id = p_user_id)
        OR EXISTS (SELECT FROM enrollments AS e WHERE e.user_id = p_user_id)
        OR EXISTS (SELECT FROM submissions AS b WHERE b.user_id = p_user_id)
    THEN
        RETURN;
    END IF;
    detail := pg_catalog.format('User %s has no membership, no enrolment and no submission; the id may be wrong.', p_user_id);

    SELECT k.confrelid, f.attname
      INTO v_users, v_key
      FROM pg_catalog.pg_constraint AS k
      JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attname = 'user_id' AND a.attnum = k.conkey[1] AND pg_catalog.cardinality(k.conkey) = 1
      JOIN pg_catalog.pg_attribute AS f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[1]
     WHERE k.contype = 'f'
       AND k.conrelid IN ('org_members'::regclass::oid, 'enrollments'::regclass::oid, 'submissions'::regclass::oid)
       AND pg_catalog.has_schema_privilege((SELECT c.relnamespace FROM pg_catalog.pg_class AS c WHERE c.oid = k.confrelid), 'USAGE')
       AND pg_catalog.has_column_privilege(k.confrelid, f.attnum, 'SELECT')
       AND NOT pg_catalog.row_security_active(k.confrelid)
     LIMIT 1;
    IF v_users IS NULL THEN
        RETURN;
    END IF;
    EXECUTE pg_catalog.format('SELECT EXISTS (SELECT FROM %s AS u WHERE u.%I = $1)', v_users, v_key) INTO v_found USING p_user_id;
    is_missing := NOT v_found;
    detail := CASE
        WHEN v_found THEN pg_catalog.format('User %s has no membership, no enrolment and no submission.', p_user_id)
        ELSE pg_catalog.format('There is no user %s in table %s.', p_user_id, v_users)
    END;
END
$function$
