CREATE OR REPLACE FUNCTION sessiondb.sessions_of_staff(p_user_id uuid)
RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL RESTRICTED
SET search_path FROM CURRENT
AS $function$
/*
 * The sessions of the organisations in which a user is staff, for the policies on enrollments and submissions. SECURITY
 * DEFINER: the platform's own policies on org_members and sessions, which may themselves read enrollments, are not
 * evaluated. Readers execute it in a policy: without USAGE on the schema they cannot name it, and one that has USAGE, for
 * commands that only read, gets an answer for its own user only.
 *
 * The names of columns: as in find_session().
 *
 * The roles of staff are those of `apply --staff`; without that, no session.
 */
SELECT session.id
  FROM (SELECT org_id AS of_org
          FROM platform.org_members
         WHERE user_id OPERATOR(pg_catalog.=) p_user_id
           AND role::pg_catalog.text OPERATOR(pg_catalog.=) ANY (staff_roles)) AS staff
  JOIN (SELECT id, org_id AS of_org FROM platform.sessions) AS session ON session.of_org OPERATOR(pg_catalog.=) staff.of_org
 WHERE CASE WHEN EXISTS (
               SELECT FROM pg_catalog.pg_roles AS r
                WHERE (r.rolname OPERATOR(pg_catalog.=) session_user OR r.rolname OPERATOR(pg_catalog.=) pg_catalog.current_setting('role')::pg_catalog.name)
                  AND pg_catalog.has_schema_privilege(r.oid, 'sessiondb'::pg_catalog.text, 'USAGE'::pg_catalog.text)
                  -- the owner and superusers may read all that this reads
                  AND NOT pg_catalog.pg_has_role(r.oid, current_user::pg_catalog.name, 'USAGE'::pg_catalog.text))
            THEN p_user_id OPERATOR(pg_catalog.=) sessiondb.current_user_id()
            ELSE true END
$function$
