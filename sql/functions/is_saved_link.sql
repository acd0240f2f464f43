CREATE OR REPLACE FUNCTION sessiondb.is_saved_link(p_table text, p_row jsonb)
RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Whether a rollback saved the link of this row of enrollments or submissions (p_table), so that an apply restores it
 * as it was, even if a membership has ended since. The same row as in steps/restore_links: clients may give a row the
 * key of a deleted one, and a session the id of a deleted one. session_belongs_to in p_row is the organisation and the
 * course of the session.
 */
DECLARE
    v_saved regclass := to_regclass('sessiondb.saved_links_of_' || p_table);
    v_found boolean;
BEGIN
    IF v_saved IS NULL THEN
        RETURN false;
    END IF;
    EXECUTE (
        SELECT format('SELECT EXISTS (SELECT FROM %s AS s WHERE %s)', v_saved,
                      string_agg(format(CASE
                                            WHEN a.attnum = ANY (k.conkey) OR a.attname = 'session_id' THEN '%1$s = s.%2$I'
                                            WHEN a.attname = 'user_id' THEN 'coalesce(%1$s = s.%2$I, %1$s IS NULL AND s.%2$I IS NULL)'
                                            ELSE 'coalesce(%1$s = s.%2$I, %1$s IS NULL)'
                                        END, format('(jsonb_populate_record(NULL::%s, $1)).%I', v_saved, a.attname), a.attname), ' AND ')
                      || CASE WHEN to_regclass('sessiondb.saved_links_of_sessions') IS NULL THEN '' ELSE
                             ' AND NOT EXISTS (SELECT FROM sessiondb.saved_links_of_sessions AS k '
                             'WHERE k.session_id = s.session_id AND k.belongs_to <> $1 ->> ''session_belongs_to'')' END
                      -- citus: || format(' AND s.user_id = %L', p_row ->> 'user_id')
                      )
          FROM pg_attribute AS a
          JOIN pg_constraint AS k ON k.conrelid = a.attrelid AND k.contype = 'p'
         WHERE a.attrelid = v_saved AND a.attnum > 0 AND NOT a.attisdropped)
       INTO v_found
      USING p_row;
    RETURN v_found;
END
$function$
