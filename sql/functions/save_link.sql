CREATE OR REPLACE FUNCTION sessiondb.save_link()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * AFTER INSERT, UPDATE or DELETE, only while a rollback runs: saves the link of the row in addition to those that were saved in
 * bulk, so that none is lost before the column is dropped, with the organisation and the course of its session. Under the key of a row
 * that is deleted, or gets another key, no session is saved, so that no other row with this key gets the link. The arguments of
 * the trigger are enrollments or submissions, and the columns of the table of saved links but session_id, which step
 * prepare_saved_links created. Dynamic SQL is used only during a rollback.
 *
 * SECURITY DEFINER: roles that write to the table have no rights in schema sessiondb. Only the two tables of the platform
 * are accepted, and no SQL from a trigger's argument: a role that can call this function could attach it to its own table.
 */
DECLARE
    v_saved regclass := format('sessiondb.%I', 'saved_links_of_' || TG_ARGV[0]);
    v_columns text[] := coalesce(
        nullif(ARRAY(SELECT quote_ident(c.name) FROM unnest(TG_ARGV[1:]) WITH ORDINALITY AS c (name, place) WHERE c.name <> 'session_belongs_to' ORDER BY c.place), '{}'),
        -- a trigger that sessiondb 0.1.0 created
        ARRAY(SELECT quote_ident(a.attname) FROM pg_attribute AS a
               WHERE a.attrelid = v_saved AND a.attnum > 0 AND NOT a.attisdropped AND a.attname NOT IN ('session_id', 'session_belongs_to')
               ORDER BY a.attnum));
    -- not of the catalogs, of which the transaction may have an older snapshot
    v_has_belongs_to boolean := 'session_belongs_to' = ANY (TG_ARGV[1:]);
    v_belongs_to text;
    v_is_gone boolean := TG_OP = 'DELETE';
    v_statement text;
    -- citus: v_row jsonb;
    v_platform record;
BEGIN
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            -- bytes, not what the platform's types call equal
            EXECUTE format('SELECT ROW(($1).%s)::record *<> ROW(($2).%s)::record',
                           array_to_string(v_columns, ', ($1).'), array_to_string(v_columns, ', ($2).'))
               INTO v_is_gone
              USING OLD, NEW;
            IF NOT v_is_gone AND OLD.session_id IS NULL AND NEW.session_id IS NULL THEN
                RETURN NULL;  -- an earlier rollback may have saved its link, which no apply has restored yet
            END IF;
        END IF;
        -- citus: FOREACH v_row IN ARRAY array_remove(ARRAY[CASE WHEN v_is_gone THEN to_jsonb(OLD) || '{"session_id": null}' END, to_jsonb(NEW)], NULL) LOOP
        -- citus:     EXECUTE (
        -- citus:         SELECT format('INSERT INTO %s (%s) VALUES (%s) ON CONFLICT ON CONSTRAINT %I DO UPDATE SET (%s) = ROW (%s)', v_saved,
        -- citus:                       string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
        -- citus:                       string_agg(quote_nullable(v_row ->> a.attname), ', ' ORDER BY a.attnum), k.conname,
        -- citus:                       string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE NOT a.attnum = ANY (k.conkey)),
        -- citus:                       string_agg(format('EXCLUDED.%I', a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE NOT a.attnum = ANY (k.conkey)))
        -- citus:           FROM pg_attribute AS a
        -- citus:           JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = 'p'
        -- citus:          WHERE a.attrelid = v_saved AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'session_belongs_to'
        -- citus:          GROUP BY k.conname);
        -- citus: END LOOP;
        -- citus: RETURN NULL;
        SELECT i.platform_schema AS schema, i.search_path INTO v_platform FROM sessiondb.installation AS i;
        IF coalesce(pg_partition_root(TG_RELID)::oid, TG_RELID) IS DISTINCT FROM to_regclass(format('%I.%I', v_platform.schema, TG_ARGV[0]))::oid THEN
            RAISE EXCEPTION USING
                ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = format('trigger %I is on a table whose links sessiondb does not save', TG_NAME),
                HINT = 'Drop that trigger.';
        END IF;
        IF v_has_belongs_to AND TG_OP <> 'DELETE' AND NEW.session_id IS NOT NULL THEN
            BEGIN
                PERFORM set_config('search_path', v_platform.search_path, true);
                EXECUTE pg_catalog.format('SELECT pg_catalog.concat(org_id, '' '', course_id) FROM %I.sessions WHERE id OPERATOR(pg_catalog.=) $1', v_platform.schema)
                   INTO v_belongs_to
                  USING NEW.session_id;
                SET LOCAL search_path TO pg_catalog, pg_temp;
            EXCEPTION WHEN undefined_column OR undefined_table THEN
                NULL;  -- nothing is known of it, and the link does not come back
            END;
        END IF;
        v_statement := format('INSERT INTO %1$s AS r (session_id, %2$s%3$s) VALUES ($2, ($1).%4$s%5$s) '
                       'ON CONFLICT ON CONSTRAINT %6$I DO UPDATE SET (session_id, %2$s%3$s) = ROW (EXCLUDED.session_id, EXCLUDED.%7$s%8$s)',
                       v_saved, array_to_string(v_columns, ', '), CASE WHEN v_has_belongs_to THEN ', session_belongs_to' END,
                       array_to_string(v_columns, ', ($1).'), CASE WHEN v_has_belongs_to THEN ', $3' END,
                       'saved_links_of_' || TG_ARGV[0] || '_pkey',
                       array_to_string(v_columns, ', EXCLUDED.'), CASE WHEN v_has_belongs_to THEN
                           -- a policy may hide from this client what is known of the same session
                           ', CASE WHEN EXCLUDED.session_belongs_to = '''' AND r.session_id = EXCLUDED.session_id THEN r.session_belongs_to ELSE EXCLUDED.session_belongs_to END' END);
        IF v_is_gone THEN
            EXECUTE v_statement USING OLD, NULL::uuid, '';
        END IF;
        IF TG_OP <> 'DELETE' THEN
            EXECUTE v_statement USING NEW, NEW.session_id, coalesce(v_belongs_to, '');
        END IF;
    EXCEPTION WHEN undefined_column THEN
        RAISE WARNING USING
            MESSAGE = format('the session of a row of table "%s" is not saved: a column by which the rollback saves it was dropped or renamed', TG_ARGV[0]),
            HINT = 'Run: sessiondb apply';
    END;
    RETURN NULL;
END
$function$
