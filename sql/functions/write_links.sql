CREATE OR REPLACE FUNCTION sessiondb.write_links(
    p_partition regclass, p_name text, p_row_ids tid[], p_session_ids uuid[], p_from tid, p_to tid
)
RETURNS bigint
LANGUAGE plpgsql
AS $function$
/*
 * Writes sessions to rows that link_batch() has locked, in a range of pages of a table or partition, and returns how many of them a
 * trigger or rule of the platform keeps as they are. p_name is its name, with its schema.
 */
DECLARE
    v_root pg_catalog.regclass := pg_catalog.pg_partition_root(p_partition);
    -- not as regclass prints it: without a schema, the name may be that of another table when the statement is parsed
    v_root_name pg_catalog.text := (pg_catalog.pg_identify_object('pg_catalog.pg_class'::pg_catalog.regclass, v_root, 0)).identity;
    v_update pg_catalog.text := $update$
        UPDATE %s AS r
           SET session_id = l.session_id
          FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS l (row_id, session_id)
         WHERE r.tableoid OPERATOR(pg_catalog.=) $5 AND r.ctid OPERATOR(pg_catalog.=) l.row_id
           AND r.ctid OPERATOR(pg_catalog.>=) $3 AND r.ctid OPERATOR(pg_catalog.<) $4
        $update$;
    v_constraint pg_catalog.text;
    v_kept pg_catalog.int8;
BEGIN
    BEGIN
        EXECUTE pg_catalog.format(v_update, 'ONLY ' OPERATOR(pg_catalog.||) p_name)
          USING p_row_ids, p_session_ids, p_from, p_to, p_partition::pg_catalog.oid;
    EXCEPTION WHEN check_violation THEN
        -- without the name of a constraint, a trigger of the platform has changed what a row's partition is found by
        GET STACKED DIAGNOSTICS v_constraint = CONSTRAINT_NAME;
        IF v_constraint OPERATOR(pg_catalog.<>) '' OR v_root IS NULL THEN
            RAISE;
        END IF;
        EXECUTE pg_catalog.format('LOCK TABLE %s IN ROW EXCLUSIVE MODE', v_root_name);
        PERFORM sessiondb.require_name(v_root, v_root_name);
        EXECUTE pg_catalog.format(v_update, v_root_name)
          USING p_row_ids, p_session_ids, p_from, p_to, p_partition::pg_catalog.oid;
    END;
    -- ROW_COUNT would be that of what a rule does instead
    EXECUTE pg_catalog.format(
        'SELECT pg_catalog.count(*) FROM ONLY %s AS r WHERE r.ctid OPERATOR(pg_catalog.=) ANY ($1) AND r.session_id IS NULL', p_name)
       INTO v_kept
      USING p_row_ids;
    RETURN v_kept;
END
$function$
