CREATE OR REPLACE PROCEDURE sessiondb.restore_triggers(p_table name)
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Makes the triggers again that adopt_triggers() took over, as they were.
 *
 * Lock: SHARE ROW EXCLUSIVE on the table, only where there is such a trigger.
 */
DECLARE
    v_definition text;
BEGIN
    FOR v_definition IN
        DELETE FROM sessiondb.objects AS o
         WHERE o.kind = 'trigger' AND o.parent = p_table AND o.origin = 'replaced'
        RETURNING o.previous_definition
    LOOP
        EXECUTE v_definition;
    END LOOP;
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.restore_triggers(name) IS
    'Makes the host''s triggers again that sessiondb took over';

REVOKE ALL ON PROCEDURE sessiondb.restore_triggers(name) FROM PUBLIC;
