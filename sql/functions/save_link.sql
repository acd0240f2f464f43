CREATE OR REPLACE FUNCTION sessiondb.save_link()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * AFTER INSERT, UPDATE or DELETE, only while a rollback runs: saves the link of the row in addition to those that were saved in
 * bulk, so that none is lost before the column is dropped, with the organisation and the course of its session. What is saved under a
 * key is the session of the row that has it now, and none if no row has it: a row may have got another key, or a statement in
 * RETURNING of this one may have changed it since, so that the event is not the last of its row.
 *
 * The arguments of the trigger are enrollments or submissions, the columns of the key, an empty one, and the other columns of the table
 * of saved links but session_id, which step prepare_saved_links created. Dynamic SQL is used only during a rollback.
 *
 * Longer than a screen: which rows the event touches, what each of them is now, and how that is saved, on Citus in another way.
 *
 * SECURITY DEFINER: roles that write to the table have no rights in schema sessiondb. Only the two tables of the platform
 * are accepted, and no SQL from a trigger's argument: a role that can call this function could attach it to its own table.
 */
DECLARE
    v_table regclass := coalesce(pg_partition_root(TG_RELID), TG_RELID);
    v_saved regclass := to_regclass(format('sessiondb.%I', 'saved_links_of_' || TG_ARGV[0]));
    v_names text[] := array_remove(array_remove(TG_ARGV[1:], ''), 'session_belongs_to');
    v_unsaved text := format('the session of a row of table "%s" is not saved: a column by which the rollback saves it was dropped, renamed or changed', TG_ARGV[0]);
    v_columns text[] := coalesce(
        nullif(ARRAY(SELECT quote_ident(c.name) FROM unnest(v_names) WITH ORDINALITY AS c (name, place) ORDER BY c.place), '{}'),
        -- a trigger that sessiondb 0.1.0 created
        ARRAY(SELECT quote_ident(a.attname) FROM pg_attribute AS a
               WHERE a.attrelid = v_saved AND a.attnum > 0 AND NOT a.attisdropped AND a.attname NOT IN ('session_id', 'session_belongs_to')
               ORDER BY a.attnum));
    v_present text := sessiondb.query_of_present_row(v_table, TG_RELID, v_columns, (TG_ARGV[1:])[:array_position(TG_ARGV[1:], '') - 1]);
    -- citus: v_image jsonb; /*
    v_query text := format('SELECT session_id FROM (%s) AS p', v_present);
    -- citus: */
    v_statement text;
    v_platform record;
    v_row record;
    v_is_there bigint;
    v_is_gone boolean := TG_OP = 'DELETE';
    v_is_hiding boolean := row_security_active(v_table);
    v_session_id uuid;
    v_belongs_to text;
BEGIN
    IF v_saved IS NULL THEN
        RETURN NULL;  -- the saved links were given up
    END IF;
    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') AND v_present IS NULL AND TG_NARGS > 1 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'serialization_failure',
            MESSAGE = format('could not serialize access: a column of the key of table "%s" had another name when this transaction began', TG_ARGV[0]);
    END IF;
    -- citus: /*
    CALL sessiondb.require_saved_table(TG_RELID, TG_ARGV[0], TG_NAME);
    SELECT i.search_path,
           format('SELECT pg_catalog.concat(org_id, '' '', course_id) FROM %I.sessions WHERE id OPERATOR(pg_catalog.=) $1', i.platform_schema) AS query
      INTO v_platform
      FROM sessiondb.installation AS i;
    -- citus: */
    IF TG_OP = 'UPDATE' THEN
        -- bytes, not what the platform's types call equal; the columns without their row: one that was renamed would else be a function
        EXECUTE format('SELECT (SELECT ROW(%1$s) FROM (SELECT ($1).*) AS x)::record *<> (SELECT ROW(%1$s) FROM (SELECT ($2).*) AS x)::record',
                       array_to_string(v_columns, ', '))
           INTO v_is_gone
          USING OLD, NEW;
        IF NOT v_is_gone AND OLD.session_id IS NULL AND NEW.session_id IS NULL THEN
            RETURN NULL;  -- an earlier rollback may have saved its link, which no apply has restored yet
        END IF;
    END IF;
    FOR v_turn IN 1..2 LOOP
        CONTINUE WHEN v_turn = 1 AND NOT v_is_gone OR v_turn = 2 AND TG_OP = 'DELETE';
        IF v_turn = 1 THEN
            v_row := OLD;
        ELSE
            v_row := NEW;
        END IF;
        v_is_there := 0;
        v_session_id := NULL;
        -- citus: v_image := to_jsonb(v_row);
        IF v_present IS NOT NULL THEN
            -- citus: EXECUTE format('SELECT p.session_id, to_jsonb(p.*) FROM (%s) AS p', v_present) INTO v_session_id, v_image USING v_row;
            -- citus: GET DIAGNOSTICS v_is_there = ROW_COUNT;
            -- citus: v_image := coalesce(v_image, to_jsonb(v_row));
            -- citus: /*
            PERFORM set_config('search_path', v_platform.search_path, true);
            BEGIN
                EXECUTE v_query INTO v_session_id USING v_row;
                GET DIAGNOSTICS v_is_there = ROW_COUNT;
            EXCEPTION WHEN data_exception THEN
                IF NOT v_is_hiding THEN
                    RAISE;
                END IF;  -- a policy that fails with what this client has set
            END;
            SET LOCAL search_path TO pg_catalog, pg_temp;
            -- citus: */
        END IF;
        IF v_is_there = 0 AND v_turn = 2 AND (v_present IS NULL OR v_is_hiding) THEN
            v_session_id := NEW.session_id;  -- a policy may hide the row: see step drop_column
        END IF;
        -- citus: v_image := v_image || jsonb_build_object('session_id', v_session_id);
        -- citus: EXECUTE (
        -- citus:     SELECT format('INSERT INTO %s (%s) VALUES (%s) ON CONFLICT ON CONSTRAINT %I DO UPDATE SET (%s) = ROW (%s)', v_saved,
        -- citus:                   string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
        -- citus:                   string_agg(quote_nullable(v_image ->> a.attname), ', ' ORDER BY a.attnum), k.conname,
        -- citus:                   string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE NOT a.attnum = ANY (k.conkey)),
        -- citus:                   string_agg(format('EXCLUDED.%I', a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE NOT a.attnum = ANY (k.conkey)))
        -- citus:       FROM pg_attribute AS a
        -- citus:       JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = 'p'
        -- citus:      WHERE a.attrelid = v_saved AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'session_belongs_to'
        -- citus:      GROUP BY k.conname);
        -- citus: CONTINUE;
        v_belongs_to := NULL;
        IF v_session_id IS NOT NULL AND v_is_there > 0 THEN
            BEGIN
                PERFORM set_config('search_path', v_platform.search_path, true);
                EXECUTE v_platform.query INTO v_belongs_to USING v_session_id;
                SET LOCAL search_path TO pg_catalog, pg_temp;
            EXCEPTION WHEN undefined_column OR undefined_table OR data_exception THEN
                NULL;  -- nothing is known of it, and the link does not come back; data_exception: of a policy
            END;
        END IF;
        -- the session of another row is not saved for the user of the one of the event
        v_statement := sessiondb.statement_to_save(TG_ARGV[0], v_columns, 'session_belongs_to' = ANY (TG_ARGV[1:]),
                                                   CASE WHEN v_is_there > 0 THEN v_present ELSE 'SELECT ($1).*' END);
        BEGIN
            PERFORM set_config('search_path', v_platform.search_path, true);
            EXECUTE v_statement USING v_row, v_session_id, coalesce(v_belongs_to, '');
            SET LOCAL search_path TO pg_catalog, pg_temp;
        EXCEPTION WHEN data_exception THEN
            IF sessiondb.is_saved_by(TG_ARGV[0], TG_RELID::regclass, v_names) THEN
                RAISE;
            END IF;
            -- a column has another type now, and this value is none of the one before: what its key was given up for is saved
            RAISE WARNING USING MESSAGE = v_unsaved, HINT = 'Run: sessiondb apply';
        END;
    END LOOP;
    RETURN NULL;
EXCEPTION WHEN undefined_column OR undefined_function OR datatype_mismatch OR data_exception THEN
    IF sessiondb.is_saved_by(TG_ARGV[0], TG_RELID::regclass, v_names) THEN
        RAISE;
    END IF;
    RAISE WARNING USING MESSAGE = v_unsaved, HINT = 'Run: sessiondb apply';
    RETURN NULL;
END
$function$
