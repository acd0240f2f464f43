CREATE OR REPLACE FUNCTION sessiondb.find_session(p_user_id uuid, p_course_id uuid)
RETURNS uuid
LANGUAGE plpgsql
AS $function$
/*
 * The session of a user in a course, for the triggers: of the active sessions of the course in the organisations that
 * the user is a member of, the one with the newest created_at (unknown dates last), and of several such the one with
 * the greatest id. NULL when there is none.
 *
 * FOR KEY SHARE is the lock that the foreign key takes after the row is stored. Taken here, it makes us wait for who is
 * just deleting the session, and then go on to the next one: the row would be refused otherwise. Somebody else's other
 * changes to the session wait for nothing, nor do we for them.
 *
 * One probe of the index per organisation, so that the number of sessions does not matter. SELECT INTO, because RETURN
 * (SELECT ...) would run the query as a part of another (docs/performance.md). OPERATOR(pg_catalog.=): status may be an
 * enum, and then a more exact "=" that someone made in the platform's schema would be taken before the catalog's.
 *
 * Columns stand without the name of their table: were one renamed, s.status would be a call of a function status(s),
 * whoever made it. So each of them is read in a query of one table.
 */
DECLARE
    v_session_id pg_catalog.uuid;
BEGIN
    SELECT newest.id
      INTO v_session_id
      FROM (SELECT org_id AS of_org
              FROM platform.org_members
             WHERE user_id OPERATOR(pg_catalog.=) p_user_id) AS member
     CROSS JOIN LATERAL (
            SELECT id, created_at
              FROM platform.sessions
             WHERE org_id OPERATOR(pg_catalog.=) member.of_org
               AND course_id OPERATOR(pg_catalog.=) p_course_id
               AND status OPERATOR(pg_catalog.=) 'active'
             ORDER BY created_at DESC NULLS LAST, id DESC
             LIMIT 1
               FOR KEY SHARE
           ) AS newest
     ORDER BY newest.created_at DESC NULLS LAST, newest.id DESC
     LIMIT 1;

    RETURN v_session_id;
END
$function$
