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
 * A snapshot that is older than the saved links does not see them, but an INSERT with their key fails with a serialization failure.
 *
 * The arguments of the trigger are those of save_link(). As there, SECURITY DEFINER, because roles that write to the table have no rights in
 * schema sessiondb, and the columns of the key are named without their row: one that is gone would be a call of a function.
 */
DECLARE
    v_columns text[] := ARRAY(SELECT c.name FROM unnest(TG_ARGV[1:]) AS c (name) WHERE c.name NOT IN ('', 'session_belongs_to'));
    v_is_older boolean := false;
    v_statement text;
BEGIN
    -- citus: /*
    CALL sessiondb.require_saved_table(TG_RELID, TG_ARGV[0], TG_NAME);
    v_is_older := current_setting('transaction_isolation') IN ('repeatable read', 'serializable');
    -- citus: */
    SELECT CASE WHEN v_is_older THEN
                    sessiondb.statement_to_save(TG_ARGV[0], ARRAY(SELECT quote_ident(c.name) FROM unnest(v_columns) AS c (name)), false, 'SELECT ($1).*')
                    || ' WHERE ' || w.condition
                ELSE
                    format('DELETE FROM sessiondb.%I AS r USING (SELECT %s FROM (SELECT ($1).*) AS x) AS excluded WHERE %s', 'saved_links_of_' || TG_ARGV[0], w.names, w.condition)
                    -- citus: || format(' AND r.user_id = %L', OLD.user_id)
                END
      INTO v_statement
      FROM (
            SELECT string_agg(quote_ident(k.name), ', ') AS names,
                   string_agg(format(CASE k.name WHEN 'user_id' THEN '(r.%1$I IS NULL OR %2$s)' ELSE '%2$s' END, k.name,
                                     format('excluded.%1$I %2$s r.%1$I%3$s', k.name, e.operator, e.right_cast)), ' AND ') AS condition
              FROM (SELECT u.name FROM unnest((TG_ARGV[1:])[:array_position(TG_ARGV[1:], '') - 1]) AS u (name)
                     UNION
                    -- where the table has another key since, rows of several users may have this one
                    SELECT 'user_id' WHERE 'user_id' = ANY (v_columns)) AS k
              LEFT JOIN pg_attribute AS a ON a.attrelid = TG_RELID AND a.attname = k.name
              LEFT JOIN LATERAL ({equal(a.atttypid)}) AS e ON true
           ) AS w;
    EXECUTE v_statement USING OLD, NULL::uuid;
    IF TG_OP = 'UPDATE' THEN
        EXECUTE v_statement USING NEW, NULL::uuid;
    END IF;
    RETURN NULL;
EXCEPTION
    WHEN undefined_table THEN
        RETURN NULL;  -- an apply has just dropped it, or the saved links were given up
    WHEN undefined_column OR undefined_function OR datatype_mismatch OR data_exception OR null_value_not_allowed THEN
        IF sessiondb.is_saved_by(TG_ARGV[0], TG_RELID::regclass, v_columns) THEN
            RAISE;
        END IF;
        RAISE WARNING USING
            MESSAGE = format('the saved link of a row of table "%s" is not forgotten: a column by which the rollback saved it was dropped, renamed or changed', TG_ARGV[0]),
            HINT = 'Run: sessiondb apply';
        RETURN NULL;
END
$function$
