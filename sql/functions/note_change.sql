CREATE OR REPLACE FUNCTION sessiondb.note_change()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * AFTER INSERT, UPDATE or DELETE of a row with a session, from when a rollback begins to save links until it drops the column, and until an
 * apply has restored them: notes the key and the user of the row, before and after, in sessiondb.changed_rows_of_TABLE. The rollback then
 * saves what such a row is linked to while no other session can write to the table; the apply gives it no saved link, as it has been given a
 * session since. So nothing depends on what this transaction sees, and none waits for another one.
 *
 * Only the user is noted if a column of the key was dropped, renamed or changed since: it may have been any row of theirs. If that of the user
 * or of the session was, nothing is known of the row, which only a rollback can make up for.
 *
 * The arguments of the trigger are enrollments or submissions, rollback or apply, and the columns that are noted.
 *
 * SECURITY DEFINER: roles that write to the table have no rights in schema sessiondb. Only the two tables of the platform are accepted:
 * a role that can call this function could attach it to its own table.
 */
DECLARE
    v_log text := format('sessiondb.%I', 'changed_rows_of_' || TG_ARGV[0]);
    -- not in a block with exceptions, which is a subtransaction: it would be planned again for each row
    v_statement text := sessiondb.statement_to_note(v_log, TG_RELID::regclass, TG_ARGV[2:]);
    v_row record;
BEGIN
    -- citus: /*
    -- a snapshot may be older than that table
    IF EXISTS (SELECT FROM sessiondb.installation AS i WHERE coalesce(pg_partition_root(TG_RELID), TG_RELID) IS DISTINCT FROM to_regclass(format('%I.%I', i.platform_schema, TG_ARGV[0]))) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('trigger %I is on a table whose links sessiondb does not save', TG_NAME),
            HINT = 'Drop that trigger.';
    END IF;
    -- citus: */
    IF coalesce(OLD.session_id, NEW.session_id) IS NULL THEN
        RETURN NULL;  -- an earlier rollback may have saved its link, which no apply has restored yet
    END IF;
    FOR v_turn IN 1..2 LOOP
        CONTINUE WHEN v_turn = 1 AND TG_OP = 'INSERT' OR v_turn = 2 AND TG_OP = 'DELETE';
        IF v_turn = 1 THEN
            v_row := OLD;
        ELSE
            v_row := NEW;
        END IF;
        BEGIN
            -- citus: EXECUTE (SELECT format('INSERT INTO %s (%s) VALUES (%s)', v_log, string_agg(quote_ident(c.name), ', ' ORDER BY c.place),
            -- citus:                        string_agg(quote_nullable(to_jsonb(v_row) ->> c.name), ', ' ORDER BY c.place))
            -- citus:            FROM unnest(TG_ARGV[2:]) WITH ORDINALITY AS c (name, place));
            -- citus: CONTINUE;
            EXECUTE v_statement USING v_row;
        EXCEPTION
            WHEN undefined_table THEN
                RETURN NULL;  -- an apply has just restored the last one
            WHEN data_exception THEN
                NULL;  -- no saved link has a key that is no value of its type
            WHEN undefined_column OR datatype_mismatch THEN
                EXECUTE format('INSERT INTO %s (user_id) SELECT user_id FROM (SELECT ($1).*) AS x', v_log) USING v_row;
        END;
    END LOOP;
    RETURN NULL;
EXCEPTION WHEN undefined_column OR datatype_mismatch THEN
    -- citus: /*
    IF TG_ARGV[1] = 'rollback' THEN
        EXECUTE format('INSERT INTO %s DEFAULT VALUES', v_log);  -- it may have been any row, and the next rollback saves all links again
    END IF;
    -- citus: */
    RAISE WARNING USING
        MESSAGE = format('a change of a row of table "%s" is not noted: a column by which a rollback saves its link was dropped, renamed or changed', TG_ARGV[0]),
        HINT = 'Run: sessiondb apply';
    RETURN NULL;
END
$function$
