-- A function of that name that was there before us is put back.
--
-- Locks: none on the platform's tables. If the process dies: nothing was committed; run rollback again.
--
-- squawk-ignore-file ban-drop-function

DROP FUNCTION IF EXISTS sessiondb.check_submission();
DROP FUNCTION IF EXISTS sessiondb.check_enrollment();
DROP FUNCTION IF EXISTS sessiondb.refuse_session(text, uuid);
DROP FUNCTION IF EXISTS sessiondb.link_submission();
DROP FUNCTION IF EXISTS sessiondb.link_enrollment();
DROP FUNCTION IF EXISTS sessiondb.find_session(uuid, uuid);

DO $rollback$
DECLARE
    v_previous text := (
        SELECT o.previous_definition FROM sessiondb.objects AS o
         WHERE o.kind = 'function' AND o.name = 'get_user_session_for_course');
BEGIN
    IF v_previous IS NULL THEN
        DROP FUNCTION IF EXISTS get_user_session_for_course(uuid, uuid);
    ELSE
        EXECUTE v_previous;
    END IF;
END
$rollback$;

DELETE FROM sessiondb.objects WHERE kind = 'function';
