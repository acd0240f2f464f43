CREATE OR REPLACE PROCEDURE sessiondb.require_visible()
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Raises an error if row level security hides from the calling role what decides which session a row is linked to. The rules apply
 * to all sessions: if some were hidden, a backfill would link rows to others permanently. The triggers' owner, for whom row level
 * security may be forced, sees what the triggers see if its policies do not depend on the client; backfill_remarks() says so.
 */
BEGIN
    IF EXISTS (SELECT FROM sessiondb.hidden_tables() AS h WHERE h.name IN ('sessions', 'org_members') OR h.name = 'enrollments' AND NOT h.shows_all)
        AND NOT ({owns_triggers()})
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'insufficient_privilege',
            MESSAGE = format('row level security hides sessions, members or enrolments from role %s, so it would link rows wrongly', current_user),
            HINT = 'Backfill as the role that applied sessiondb, or as one that has BYPASSRLS.';
    END IF;
END
$procedure$
