-- Locks: none on the platform's tables. If the process dies: nothing was committed; run rollback again.
--
-- squawk-ignore-file ban-drop-function

DROP FUNCTION IF EXISTS sessiondb.explain_submission(uuid);
DROP FUNCTION IF EXISTS sessiondb.explain_enrollment(uuid);
DROP FUNCTION IF EXISTS sessiondb.explain_link(uuid, uuid, uuid, text, uuid);
DROP FUNCTION IF EXISTS sessiondb.explain_course(name, uuid, uuid);
DROP FUNCTION IF EXISTS sessiondb.explain_user(uuid);
DROP FUNCTION IF EXISTS sessiondb.count_rows(uuid, uuid);
DROP FUNCTION IF EXISTS sessiondb.session_command(uuid, uuid);
DROP FUNCTION IF EXISTS sessiondb.member_command(uuid, uuid);
DROP FUNCTION IF EXISTS sessiondb.title_of_session(uuid);
DROP FUNCTION IF EXISTS sessiondb.slug_of_org(uuid);
DROP FUNCTION IF EXISTS sessiondb.name_of_org(uuid);

DELETE FROM sessiondb.objects
 WHERE kind = 'function'
   AND name IN ('name_of_org', 'slug_of_org', 'title_of_session', 'member_command', 'session_command', 'count_rows',
                'explain_user', 'explain_course', 'explain_link', 'explain_enrollment', 'explain_submission');
