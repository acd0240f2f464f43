CREATE OR REPLACE PROCEDURE sessiondb.begin_backfill(p_session_id uuid)
LANGUAGE plpgsql
AS $procedure$
/*
 * Makes ready for backfill_step(), or to go on with a backfill that was stopped. A mistyped id must not take the
 * progress of that away.
 *
 * The rules are for all sessions: among those that row level security shows a role they would choose others, for good.
 */
BEGIN
    IF pg_catalog.row_security_active('platform.sessions'::pg_catalog.regclass::pg_catalog.oid)
        OR pg_catalog.row_security_active('platform.org_members'::pg_catalog.regclass::pg_catalog.oid) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'insufficient_privilege',
            MESSAGE = pg_catalog.format('row level security hides sessions or members from role %s, so it would link rows wrongly', current_user),
            HINT = 'Backfill as the role that owns the tables, or as one that has BYPASSRLS.';
    END IF;
    IF p_session_id IS NOT NULL AND NOT EXISTS (SELECT FROM platform.sessions AS s WHERE s.id OPERATOR(pg_catalog.=) p_session_id) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = pg_catalog.format('there is no session with the id %s', p_session_id),
            HINT = 'List them with: sessiondb session list';
    END IF;
    CALL sessiondb.start_backfill(p_session_id);
END
$procedure$
