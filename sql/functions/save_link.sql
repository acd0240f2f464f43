CREATE OR REPLACE FUNCTION sessiondb.save_link()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * AFTER INSERT or UPDATE, only while a rollback runs: saves the link of the row in addition to those that were saved in
 * bulk, so that none is lost before the column is dropped. The arguments of the trigger are enrollments or submissions, and the
 * columns of the table of saved links, which step prepare_saved_links created. Dynamic SQL is used only during a rollback.
 *
 * SECURITY DEFINER: roles that write to the table have no rights in schema sessiondb. Only the two tables of the platform
 * are accepted, and no SQL from a trigger's argument: a role that can call this function could attach it to its own table.
 */
DECLARE
    v_saved regclass := format('sessiondb.%I', 'saved_links_of_' || TG_ARGV[0]);
    v_sessions text := (SELECT format('%I.sessions', i.platform_schema) FROM sessiondb.installation AS i);
    v_columns text[] := coalesce(
        nullif(ARRAY(SELECT quote_ident(c.name) FROM unnest(TG_ARGV[1:]) WITH ORDINALITY AS c (name, place) ORDER BY c.place), '{}'),
        -- a trigger that sessiondb 0.1.0 created
        ARRAY(SELECT quote_ident(a.attname) FROM pg_attribute AS a
               WHERE a.attrelid = v_saved AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'session_id'
               ORDER BY a.attnum));
BEGIN
    -- citus: EXECUTE (
    -- citus:     SELECT format('INSERT INTO %s (%s) VALUES (%s) ON CONFLICT ON CONSTRAINT %I DO UPDATE SET (%s) = ROW (%s)', v_saved,
    -- citus:                   string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum),
    -- citus:                   string_agg(quote_nullable(to_jsonb(NEW) ->> a.attname), ', ' ORDER BY a.attnum), k.conname,
    -- citus:                   string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE NOT a.attnum = ANY (k.conkey)),
    -- citus:                   string_agg(format('EXCLUDED.%I', a.attname), ', ' ORDER BY a.attnum) FILTER (WHERE NOT a.attnum = ANY (k.conkey)))
    -- citus:       FROM pg_attribute AS a
    -- citus:       JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = 'p'
    -- citus:      WHERE a.attrelid = v_saved AND a.attnum > 0 AND NOT a.attisdropped
    -- citus:      GROUP BY k.conname);
    -- citus: RETURN NULL;
    IF coalesce(pg_partition_root(TG_RELID)::oid, TG_RELID) IS DISTINCT FROM (
            SELECT to_regclass(format('%I.%I', i.platform_schema, TG_ARGV[0]))::oid FROM sessiondb.installation AS i)
    THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('trigger %I is on a table whose links sessiondb does not save', TG_NAME),
            HINT = 'Drop that trigger.';
    END IF;
    EXECUTE format('INSERT INTO %s (%s, session_id) VALUES (($1).%s, ($1).session_id) '
                   'ON CONFLICT ON CONSTRAINT %I DO UPDATE SET (%s, session_id) = ROW (EXCLUDED.%s, EXCLUDED.session_id)',
                   v_saved, array_to_string(v_columns, ', '), array_to_string(v_columns, ', ($1).'),
                   'saved_links_of_' || TG_ARGV[0] || '_pkey', array_to_string(v_columns, ', '),
                   array_to_string(v_columns, ', EXCLUDED.'))
      USING NEW;
    -- of a session that is younger than what save_sessions saved; it may be created again for another organisation
    IF to_regclass('sessiondb.saved_links_of_sessions') IS NOT NULL THEN
        BEGIN
            PERFORM set_config('search_path', i.search_path, true) FROM sessiondb.installation AS i;
            EXECUTE pg_catalog.format(
                'INSERT INTO sessiondb.saved_links_of_sessions (session_id, belongs_to)'
                ' SELECT id, pg_catalog.concat(org_id, '' '', course_id) FROM %s WHERE id OPERATOR(pg_catalog.=) $1'
                ' ON CONFLICT (session_id) DO NOTHING', v_sessions)
              USING NEW.session_id;
            SET LOCAL search_path TO pg_catalog, pg_temp;
        EXCEPTION WHEN serialization_failure OR undefined_column OR undefined_table THEN
            NULL;  -- another session has just saved it; or nothing is known of it, and no link to it comes back
        END;
    END IF;
    RETURN NULL;
END
$function$
