CREATE OR REPLACE PROCEDURE sessiondb.require_trusted()
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Refuses to go on where schema sessiondb holds what belongs to a role that is not trusted. Whoever calls backfill()
 * trusts its owner.
 */
DECLARE
    v_owner oid := (SELECT p.proowner FROM pg_proc AS p WHERE p.oid = 'sessiondb.backfill(uuid)'::regprocedure);
    v_found text := (
        SELECT string_agg(format('%s (role %s)', s.object, s.role), ', ')
          FROM (
{strangers(v_owner)}
               ) AS s);
BEGIN
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('schema sessiondb is open to roles that are not trusted: %s', v_found),
            HINT = 'See: sessiondb check';
    END IF;
END
$procedure$
