CREATE OR REPLACE FUNCTION sessiondb.forget_link()
RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * AFTER UPDATE or DELETE of a row with a session, only until an apply has restored what a rollback saved: it has no saved link any more,
 * neither under its old key nor under the new one, so that no row gets one that has left the session that it was given since, and none
 * that has the old key of one that has its session still. A row that moves to another partition is deleted and inserted.
 *
 * The arguments of the trigger are those of save_link(). As there, SECURITY DEFINER, because roles that write to the table have no rights in
 * schema sessiondb, and the columns of the key are named without their row: one that is gone would be a call of a function.
 */
DECLARE
    v_statement text := (
        SELECT format('DELETE FROM sessiondb.%I AS r USING (SELECT %s FROM (SELECT ($1).*) AS x) AS e WHERE %s', 'saved_links_of_' || TG_ARGV[0],
                      string_agg(quote_ident(k.name), ', '),
                      string_agg(format(CASE k.name WHEN 'user_id' THEN '(r.%1$I IS NULL OR %2$s)' ELSE '%2$s' END, k.name,
                                        format('e.%1$I %2$s r.%1$I%3$s', k.name, e.operator, e.right_cast)), ' AND '))
               -- citus: || format(' AND r.user_id = %L', OLD.user_id)
          FROM (SELECT u.name FROM unnest((TG_ARGV[1:])[:array_position(TG_ARGV[1:], '') - 1]) AS u (name)
                 UNION
                -- where the table has another key since, rows of several users may have this one
                SELECT 'user_id' WHERE 'user_id' = ANY (TG_ARGV[1:])) AS k
          LEFT JOIN pg_attribute AS a ON a.attrelid = TG_RELID AND a.attname = k.name
          LEFT JOIN LATERAL ({equal(a.atttypid)}) AS e ON true);
BEGIN
    -- citus: /*
    CALL sessiondb.require_saved_table(TG_RELID, TG_ARGV[0], TG_NAME);
    -- citus: */
    EXECUTE v_statement USING OLD;
    IF TG_OP = 'UPDATE' THEN
        EXECUTE v_statement USING NEW;
    END IF;
    RETURN NULL;
EXCEPTION
    WHEN undefined_table THEN
        RETURN NULL;  -- an apply has just dropped it, or the saved links were given up
    WHEN undefined_column OR undefined_function OR datatype_mismatch OR data_exception OR null_value_not_allowed THEN
        IF sessiondb.is_saved_by(TG_ARGV[0], TG_RELID::regclass, array_remove(array_remove(TG_ARGV[1:], ''), 'session_belongs_to')) THEN
            RAISE;
        END IF;
        RAISE WARNING USING
            MESSAGE = format('the saved link of a row of table "%s" is not forgotten: a column by which the rollback saved it was dropped, renamed or changed', TG_ARGV[0]),
            HINT = 'Run: sessiondb apply';
        RETURN NULL;
END
$function$
