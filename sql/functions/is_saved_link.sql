CREATE OR REPLACE FUNCTION sessiondb.is_saved_link(p_table text, p_row jsonb)
RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path FROM CURRENT
AS $function$
/*
 * Whether a rollback saved the link of this row of enrollments or submissions (p_table), so that an apply restores it
 * as it was, even if a membership has ended since. Clients may give a session the id of a deleted one: session_belongs_to
 * in p_row is the organisation and the course of the session.
 *
 * The platform's path is pinned, because a value of the row may be of a domain of the platform, whose CHECK is evaluated.
 */
DECLARE
    v_name pg_catalog.text := pg_catalog.concat('sessiondb.saved_links_of_', p_table);
    v_saved pg_catalog.regclass := pg_catalog.to_regclass(v_name);
    v_row pg_catalog.text := pg_catalog.format('(pg_catalog.jsonb_populate_record(NULL::%s, $1))', v_name);
    v_path pg_catalog.text := pg_catalog.current_setting('search_path');
    v_same_row pg_catalog.text;
    v_has_belongs_to boolean;
    v_found boolean;
BEGIN
    -- the session may be gone, and then be created for another organisation
    IF v_saved IS NULL OR (p_row OPERATOR(pg_catalog.->>) 'session_belongs_to'::pg_catalog.text) IS NULL THEN
        RETURN false;
    END IF;
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    -- nor is a table that another role left in the schema: those of a rollback belong to the owner, and are there only after one
    v_saved := (SELECT c.oid FROM pg_class AS c
                 WHERE c.oid = v_saved AND pg_get_userbyid(c.relowner) = current_user
                   -- the ledger is on the coordinator only
                   -- citus: /*
                   AND NOT EXISTS (SELECT FROM sessiondb._yoyo_migration AS m WHERE starts_with(m.migration_id, '0006.'))
                   -- citus: */
               );
    v_same_row := (
{same_row(v_saved, v_row)}
    );
    v_has_belongs_to := EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = v_saved AND a.attname = 'session_belongs_to');
    PERFORM set_config('search_path', v_path, true);
    IF v_same_row IS NULL THEN
        RETURN false;  -- or it is newer than the snapshot
    END IF;
    EXECUTE pg_catalog.format(
        'SELECT EXISTS (SELECT FROM %s AS r WHERE %s.session_id OPERATOR(pg_catalog.=) r.session_id AND %s%s)', v_name, v_row, v_same_row,
        CASE WHEN v_has_belongs_to THEN
            pg_catalog.format(' AND r.session_belongs_to OPERATOR(pg_catalog.=) ANY (ARRAY[%s.session_belongs_to, ''?''])', v_row) END
        -- citus: OPERATOR(pg_catalog.||) pg_catalog.format(' AND r.user_id OPERATOR(pg_catalog.=) %L', p_row OPERATOR(pg_catalog.->>) 'user_id'::pg_catalog.text)
    )
       INTO v_found
      USING p_row;
    RETURN v_found;
EXCEPTION WHEN undefined_table OR undefined_object THEN
    RETURN false;  -- an apply has just dropped the table
END
$function$
