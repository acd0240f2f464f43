CREATE OR REPLACE PROCEDURE sessiondb.prepare_saved_links(p_table name)
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Makes sessiondb.saved_links_of_TABLE, keyed as the platform keys its table, and the trigger that keeps
 * it up to date until session_id is dropped. Nothing to do where session_id is not ours to drop, or is gone.
 *
 * Lock: SHARE ROW EXCLUSIVE on the table for the trigger; blocks writers for a moment.
 */
DECLARE
    v_table text := (SELECT format('%I.%I', i.platform_schema, p_table) FROM sessiondb.installation AS i);
    v_saved text := format('sessiondb.%I', 'saved_links_of_' || p_table);
    v_keys text[];
    v_others text[];
BEGIN
    IF NOT sessiondb.has_own_session_id(p_table) THEN
        RETURN;
    END IF;

    SELECT array_agg(quote_ident(a.attname) ORDER BY k.place)
      INTO v_keys
      FROM (
            SELECT i.indrelid, i.indkey, i.indnkeyatts
              FROM pg_index AS i
             WHERE i.indrelid = to_regclass(v_table)
               AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
               AND (i.indisprimary OR NOT EXISTS (
                    SELECT FROM pg_attribute AS n
                     WHERE n.attrelid = i.indrelid AND n.attnum = ANY (i.indkey) AND NOT n.attnotnull))
             ORDER BY i.indisprimary DESC, i.indexrelid
             LIMIT 1
           ) AS u
     CROSS JOIN unnest(u.indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
      JOIN pg_attribute AS a ON a.attrelid = u.indrelid AND a.attnum = k.attnum
     WHERE k.place <= u.indnkeyatts;

    IF v_keys IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = format('table %s has no primary key, so its links cannot be saved before session_id is dropped', v_table),
            HINT = format('Add a primary key, or give up the links with: UPDATE %s SET session_id = NULL, then '
                          'ALTER TABLE %s DROP COLUMN session_id, and roll back again.', v_table, v_table);
    END IF;

    -- whose work it is and on what: another row that gets the same key one day must not get the link
    v_others := ARRAY(
        SELECT quote_ident(a.attname)
          FROM pg_attribute AS a
         WHERE a.attrelid = to_regclass(v_table) AND a.attnum > 0 AND NOT a.attisdropped
           AND a.attname <> 'session_id'
           AND quote_ident(a.attname) <> ALL (v_keys)
           AND (a.attname = 'user_id'
                OR EXISTS (SELECT FROM pg_constraint AS c WHERE c.conrelid = a.attrelid AND c.contype = 'f' AND a.attnum = ANY (c.conkey)))
         ORDER BY a.attnum);
    IF to_regclass(v_saved) IS NULL THEN
        EXECUTE format('CREATE TABLE %s AS SELECT %s, session_id FROM %s WITH NO DATA',
                       v_saved, array_to_string(v_keys || v_others, ', '), v_table);
        EXECUTE format('ALTER TABLE %s ADD CONSTRAINT saved_links_of_%s_pkey PRIMARY KEY (%s)',
                       v_saved, p_table, array_to_string(v_keys, ', '));
        CALL sessiondb.withdraw_default_grants();
        EXECUTE format('COMMENT ON TABLE %s IS %L', v_saved,
                       format('The sessions that rows of %s were linked to before a rollback; apply restores them', v_table));
    END IF;
    CALL sessiondb.lock_tables('SHARE ROW EXCLUSIVE', v_table);
    EXECUTE format(
        'CREATE OR REPLACE TRIGGER zzz_sessiondb_save AFTER INSERT OR UPDATE OF session_id ON %s '
        'FOR EACH ROW EXECUTE FUNCTION sessiondb.save_link(%L)',
        v_table, p_table);
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.prepare_saved_links(name) IS
    'Makes the table that keeps a table''s links over a rollback, and the trigger that completes it';

REVOKE ALL ON PROCEDURE sessiondb.prepare_saved_links(name) FROM PUBLIC;
