CREATE OR REPLACE FUNCTION sessiondb.sessions_of_staff(p_user_id uuid)
RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $function$
/*
 * The sessions of the organisations in which a user is staff, for the policies on enrollments and submissions. SECURITY
 * DEFINER: the platform's own policies on org_members and sessions, which may themselves read enrollments, are not
 * evaluated. Readers execute it in a policy: without USAGE on the schema they cannot name it.
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
$function$
