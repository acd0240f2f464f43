-- The columns that the rules read, by table, with the required kind of type.
VALUES
    ('orgs', 'id', 'uuid'),
    ('courses', 'id', 'uuid'),
    ('org_members', 'org_id', 'uuid'),
    ('org_members', 'user_id', 'uuid'),
    ('sessions', 'id', 'uuid'),
    ('sessions', 'org_id', 'uuid'),
    ('sessions', 'course_id', 'uuid'),
    ('sessions', 'status', 'status'),
    ('sessions', 'created_at', 'time'),
    ('enrollments', 'user_id', 'uuid'),
    ('enrollments', 'course_id', 'uuid'),
    ('submissions', 'user_id', 'uuid'),
    -- ours, but one that existed before must be suitable
    ('enrollments', 'session_id', 'link'),
    ('submissions', 'session_id', 'link')
UNION ALL
-- of the policies for staff
SELECT 'org_members', 'role', 'role'
 WHERE nullif(current_setting('sessiondb.staff', true), '') IS NOT NULL
