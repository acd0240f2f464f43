CREATE OR REPLACE FUNCTION sessiondb.required_indexes()
RETURNS TABLE (name name, table_name name, columns text[], predicate text)
LANGUAGE sql
IMMUTABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The indexes that the triggers, the foreign keys and the dashboard read, as index_statements() takes
 * them. The body stands alone, for preflight and check.
 */
VALUES
    -- the newest active session of an organisation in a course
    ('sessions_active_org_id_course_id_idx'::name, 'sessions'::name,
     ARRAY['org_id, course_id, created_at DESC NULLS LAST, id DESC'], 'status = ''active'''),
    -- the organisations of a user
    ('org_members_user_id_org_id_idx', 'org_members', ARRAY['user_id, org_id'], NULL),
    -- the student's enrolment in a course, for his submissions
    ('enrollments_user_id_course_id_idx', 'enrollments', ARRAY['user_id, course_id', 'course_id, user_id'], NULL),
    -- the rows of a session, for the dashboard and for deleting a session
    ('enrollments_session_id_idx', 'enrollments', ARRAY['session_id'], 'session_id IS NOT NULL'),
    ('submissions_session_id_idx', 'submissions', ARRAY['session_id'], 'session_id IS NOT NULL')
$function$;

COMMENT ON FUNCTION sessiondb.required_indexes() IS
    'The indexes that the triggers, the foreign keys and the dashboard read';

REVOKE ALL ON FUNCTION sessiondb.required_indexes() FROM PUBLIC;
