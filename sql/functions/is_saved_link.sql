CREATE OR REPLACE FUNCTION sessiondb.is_saved_link(p_table text, p_row jsonb)
RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Whether a rollback saved the link of this row of enrollments or submissions (p_table), so that an apply restores it
 * as it was, even if a membership has ended since. Clients may give a session the id of a deleted one: session_belongs_to
 * in p_row is the organisation and the course of the session.
 */
DECLARE
    v_saved regclass := to_regclass('sessiondb.saved_links_of_' || p_table);
    v_row text := format('(jsonb_populate_record(NULL::%s, $1))', v_saved);
    v_found boolean;
BEGIN
    IF v_saved IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE format(
        'SELECT EXISTS (SELECT FROM %s AS r WHERE %s AND %s)', v_saved, format('%s.session_id = r.session_id', v_row),
        (
{same_row(v_saved, v_row)}
        )
        || CASE WHEN to_regclass('sessiondb.saved_links_of_sessions') IS NULL THEN '' ELSE
               ' AND NOT EXISTS (SELECT FROM sessiondb.saved_links_of_sessions AS k '
               'WHERE k.session_id = r.session_id AND k.belongs_to <> $1 ->> ''session_belongs_to'')' END
        -- citus: || format(' AND r.user_id = %L', p_row ->> 'user_id')
    )
       INTO v_found
      USING p_row;
    RETURN v_found;
END
$function$
