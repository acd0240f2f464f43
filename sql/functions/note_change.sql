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
 * Trigger zzz_sessiondb_save_columns says what the columns are called now, as pg_get_triggerdef() does not look with the client's snapshot.
 * If a column that it names was dropped with CASCADE, which drops that trigger, nothing is known of the row: a rollback then saves all links
 * again, and an apply stops (table_not_noted()).
 *
 * The arguments of the trigger are enrollments or submissions, rollback or apply, and the columns that are noted.
 *
 * SECURITY DEFINER: roles that write to the table have no rights in schema sessiondb. Only the two tables of the platform are accepted:
 * a role that can call this function could attach it to its own table.
 */
DECLARE
    v_log text := format('sessiondb.%I', 'changed_rows_of_' || TG_ARGV[0]);
    -- citus: v_row record;
    v_old record;
    v_new record;
BEGIN
    -- citus: /*
    -- a snapshot may be older than that table
    IF EXISTS (SELECT FROM sessiondb.installation AS i
               WHERE coalesce(pg_partition_root(TG_RELID),
                              TG_RELID) IS DISTINCT FROM to_regclass(format('%I.%I', i.platform_schema, TG_ARGV[0]))) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('trigger %I is on a table whose links sessiondb does not save', TG_NAME),
            HINT = 'Drop that trigger.';
    END IF;
    BEGIN
        IF coalesce(OLD.session_id, NEW.session_id) IS NULL THEN
            RETURN NULL;  -- for many rows, and cheaper than what follows
        END IF;
    EXCEPTION WHEN undefined_column OR datatype_mismatch THEN
        NULL;  -- it has another name now
    END;
    IF TG_OP <> 'INSERT' THEN
        v_old := OLD;
    ELSE
        v_old := NEW;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        v_new := NEW;
    ELSE
        v_new := OLD;
    END IF;
    -- the columns without their row: one that is gone would else be a call of a function
    EXECUTE (
        SELECT format('INSERT INTO %1$s (%2$s)'
                      ' SELECT r.* FROM (SELECT %3$s FROM (SELECT ($1).*) AS x) AS o (%2$s, session_id)'
                      ' CROSS JOIN (SELECT %3$s FROM (SELECT ($2).*) AS x) AS n (%2$s, session_id)'
                      ' CROSS JOIN LATERAL (VALUES (%4$s), (%5$s)) AS r (%2$s)'
                      ' WHERE %6$s AND (o.session_id IS NOT NULL OR n.session_id IS NOT NULL)',
                      v_log, string_agg(quote_ident(c.name), ', ' ORDER BY c.place),
                      substring(pg_get_triggerdef(t.objid) FROM E'UPDATE OF ((?:"(?:[^"]|"")+"|[^", ]+)(?:, (?:"(?:[^"]|"")+"|[^", ]+))*) ON '),
                      string_agg(format('o.%I', c.name), ', ' ORDER BY c.place), string_agg(format('n.%I', c.name), ', ' ORDER BY c.place),
                      'true' || string_agg(CASE c.name WHEN 'user_id' THEN '' ELSE format(' AND r.%I IS DISTINCT FROM NULL', c.name) END, ''))
          FROM unnest(TG_ARGV[2:]) WITH ORDINALITY AS c (name, place)
         CROSS JOIN pg_get_object_address('trigger', ARRAY[TG_TABLE_SCHEMA, TG_TABLE_NAME, 'zzz_sessiondb_save_columns'], '{}') AS t
         GROUP BY t.objid)
      USING v_old, v_new;
    -- citus: */
    -- citus: IF coalesce(OLD.session_id, NEW.session_id) IS NULL THEN
    -- citus:     RETURN NULL;
    -- citus: END IF;
    -- citus: FOR v_row IN SELECT r.value FROM (VALUES (to_jsonb(OLD)), (to_jsonb(NEW))) AS r (value) WHERE r.value IS NOT NULL LOOP
    -- citus:     EXECUTE (SELECT format('INSERT INTO %s (%s) VALUES (%s)', v_log, string_agg(quote_ident(c.name), ', ' ORDER BY c.place),
    -- citus:                            string_agg(quote_nullable(v_row.value ->> c.name), ', ' ORDER BY c.place))
    -- citus:                FROM unnest(TG_ARGV[2:]) WITH ORDINALITY AS c (name, place));
    -- citus: END LOOP;
    RETURN NULL;
EXCEPTION
    WHEN undefined_table THEN
        RETURN NULL;  -- an apply has just restored the last one
    WHEN syntax_error_or_access_rule_violation OR data_exception THEN
        -- citus: /*
        IF TG_ARGV[1] = 'rollback' THEN
            EXECUTE format('INSERT INTO %s DEFAULT VALUES', v_log);  -- it may have been any row, and the next rollback saves all links again
        END IF;
        -- citus: */
        RAISE WARNING USING
            MESSAGE = format('a change of a row of table "%s" is not noted: a column by which a rollback saves its link was dropped', TG_ARGV[0]),
            HINT = 'Run: sessiondb apply';
        RETURN NULL;
END
$function$
