CREATE OR REPLACE FUNCTION sessiondb.is_saved_by(p_table text, p_relation regclass, p_columns text[])
RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * For save_link() and forget_link(): whether relation p_relation, which is enrollments or submissions (p_table) or a partition of it, still
 * has the columns p_columns, by which a rollback saves its links, with the types that they are saved with. If so, it is not for a change
 * of the platform that a link is not saved, but for what a client has set: its statement must fail. NULL if it has not all of them.
 *
 * A snapshot may be older than a change: if it shows none, this is a serialization failure.
 */
DECLARE
    v_is_same boolean := (
        SELECT bool_and(({base_type(a.atttypid)}) = ({base_type(s.atttypid)}))
          FROM unnest(p_columns) AS c (name)
          LEFT JOIN pg_attribute AS a ON a.attrelid = p_relation AND a.attname = c.name AND NOT a.attisdropped
          LEFT JOIN pg_attribute AS s ON s.attrelid = to_regclass(format('sessiondb.%I', 'saved_links_of_' || p_table)) AND s.attname = c.name AND NOT s.attisdropped
        HAVING count(*) = count(a.attname) AND count(*) = count(s.attname));
BEGIN
    IF v_is_same AND current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        RAISE EXCEPTION USING
            ERRCODE = 'serialization_failure',
            MESSAGE = format('could not serialize access: a column of table "%s" may have been dropped or changed since this transaction began', p_table);
    END IF;
    RETURN v_is_same;
END
$function$
