-- Locks: none on the platform's tables. If the process dies: nothing was committed; run rollback again.
--
-- squawk-ignore-file ban-drop-function

DROP FUNCTION IF EXISTS sessiondb.set_session_status(uuid, text);
DROP FUNCTION IF EXISTS sessiondb.create_session(text, uuid, uuid, text, text);
DROP FUNCTION IF EXISTS sessiondb.session_status(text);
DROP FUNCTION IF EXISTS sessiondb.count_linkable(uuid);
DROP FUNCTION IF EXISTS sessiondb.add_member(text, uuid, text);
DROP FUNCTION IF EXISTS sessiondb.create_org(text, text);
DROP FUNCTION IF EXISTS sessiondb.org_of_slug(text);

DELETE FROM sessiondb.objects
 WHERE kind = 'function'
   AND name IN ('set_session_status', 'create_session', 'session_status', 'count_linkable', 'add_member', 'create_org', 'org_of_slug');
