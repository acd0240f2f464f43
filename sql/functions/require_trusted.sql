CREATE OR REPLACE PROCEDURE sessiondb.require_trusted()
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $procedure$
/*
 * Raises an error if schema sessiondb contains objects of a role that is not trusted, or if a schema in the search_path
 * belongs to one; then locks and examines the platform's tables. A role that calls backfill() or explain_link() trusts the
 * owner of backfill().
 *
 * Without jit: the queries look expensive, and compiling them would take longer than running them.
 */
DECLARE
    v_owner oid := (SELECT p.proowner FROM pg_proc AS p WHERE p.oid = 'sessiondb.backfill(uuid)'::regprocedure);
    v_until timestamptz := clock_timestamp() + coalesce(nullif(current_setting('lock_timeout')::interval, '0'), '10s');
    v_pids integer[];
    v_found text;
BEGIN
    -- sessiondb itself has looked before the snapshot of this transaction; who calls a SECURITY DEFINER function may say so, too
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted')
       AND (current_setting('sessiondb.schema_oid', true) IS DISTINCT FROM to_regnamespace('sessiondb')::oid::text
            OR current_user <> coalesce(nullif(current_setting('role'), 'none'), session_user))
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = 'this works in a transaction in READ COMMITTED only',
            HINT = 'SET default_transaction_isolation TO ''read committed'', then run it again.';
    END IF;
    -- before the look at what is committed
    LOOP
        PERFORM pg_stat_clear_snapshot();
        v_pids := ARRAY(
{uncommitted(v_owner)}
            );
        EXIT WHEN v_pids = '{}' OR clock_timestamp() > v_until;
        PERFORM pg_sleep(0.02);
    END LOOP;
    IF v_pids <> '{}' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'lock_not_available',
            MESSAGE = 'another transaction has changed schema sessiondb and has not ended',
            DETAIL = 'In the way: ' || ({in_the_way(v_pids)}),
            HINT = 'Run it again when that transaction has ended.';
    END IF;
    SELECT string_agg(format('%s (role %s)', s.object, s.role), ', ')
      INTO v_found
      FROM (
{strangers(v_owner)}
           ) AS s;
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = regexp_replace(format('schema sessiondb is open to roles that are not trusted: %s', v_found), E'[{invisible}]', '?', 'g'),
            HINT = 'See: sessiondb check';
    END IF;
    -- not what the role that calls a SECURITY DEFINER function set
    PERFORM set_config('sessiondb.schema_oid', to_regnamespace('sessiondb')::oid::text, true);
    -- until the transaction ends, the platform's own code runs under the path that is examined here
    PERFORM set_config('sessiondb.platform_path', sessiondb.platform_path(), true);
    SELECT CASE WHEN n.oid IS NULL THEN format('schema %I, which is in the search_path of this connection, was renamed or dropped', m.name)
                ELSE format('schema %I of role %I is in the search_path of this connection', m.name, pg_get_userbyid(n.nspowner)) END
      INTO v_found
      FROM regexp_matches(current_setting('sessiondb.platform_path'), '"((?:[^"]|"")+)"', 'g') AS p (found)
     CROSS JOIN LATERAL replace(p.found[1], '""', '"') AS m (name)
      LEFT JOIN pg_namespace AS n ON n.nspname = m.name
      JOIN sessiondb.installation AS i ON i.platform_schema <> m.name
     CROSS JOIN LATERAL (SELECT coalesce(({linked_owner()}), v_owner) AS owner) AS w
     WHERE n.oid IS NULL
        OR n.nspowner NOT IN (
{trusted_roles(w.owner)}
           )
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = regexp_replace(v_found
                                     || ': an unqualified name in the platform''s own code may mean an object of that role',
                                         E'[{invisible}]', '?', 'g'),
            HINT = 'Connect with a search_path without it. See: sessiondb check search_path';
    END IF;
    CALL sessiondb.hold_tables();
    CALL sessiondb.require_tables();
END
$procedure$
