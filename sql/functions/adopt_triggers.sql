CREATE OR REPLACE PROCEDURE sessiondb.adopt_triggers(p_table name)
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Takes over the triggers of the platform that write session_id of the table, or of one of its partitions:
 * each is dropped, and its definition kept for the rollback. Only where the setting sessiondb.adopt is
 * on; otherwise such a trigger is an error, since two that choose a session would not agree.
 *
 * Lock: ACCESS EXCLUSIVE on the table, only where there is such a trigger.
 */
DECLARE
    v_trigger record;
BEGIN
    FOR v_trigger IN
        SELECT w.trigger_name, w.relation, c.relname AS relation_name, w.definition
          FROM sessiondb.triggers_writing('session_id') AS w
          JOIN pg_class AS c ON c.oid = w.relation
         WHERE w.table_name = p_table
         ORDER BY c.relname, w.trigger_name
    LOOP
        IF coalesce(current_setting('sessiondb.adopt', true), '') <> 'on' THEN
            RAISE EXCEPTION USING
                ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = format('trigger %I on %I writes session_id too', v_trigger.trigger_name, v_trigger.relation_name),
                HINT = 'Have it taken over with: sessiondb apply --adopt, or SET sessiondb.adopt = on.';
        END IF;
        INSERT INTO sessiondb.objects (kind, parent, name, origin, previous_definition)
        VALUES ('trigger', v_trigger.relation_name, v_trigger.trigger_name, 'replaced', v_trigger.definition);
        CALL sessiondb.lock_tables('ACCESS EXCLUSIVE', format('%I.%I', current_setting('sessiondb.schema'), p_table));
        EXECUTE format('DROP TRIGGER %I ON %s', v_trigger.trigger_name, v_trigger.relation);
        RAISE NOTICE 'trigger % on % is taken over; a rollback restores it with: %',
            v_trigger.trigger_name, v_trigger.relation_name, v_trigger.definition;
    END LOOP;
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.adopt_triggers(name) IS
    'Takes over the platform''s triggers that write session_id of a table; a rollback restores them';

REVOKE ALL ON PROCEDURE sessiondb.adopt_triggers(name) FROM PUBLIC;
