CREATE OR REPLACE FUNCTION sessiondb.lock_rows(
    p_partition regclass, p_row_ids tid[], p_from tid, p_to tid, p_is_waiting boolean, OUT locked tid[], OUT tried tid[]
)
LANGUAGE plpgsql
AS $function$
/*
 * Locks the rows of a table or partition, for link_batch(), that have no session and that no other transaction has locked.
 *
 * p_is_waiting  waits for the first of them that there is to lock, for lock_timeout; tried are those that it looked for until then.
 *               Not for several: a session that waits for one of those that are locked could be the victim of a deadlock.
 */
DECLARE
    v_row_id pg_catalog.tid;
    v_found pg_catalog.int8;
    -- not as regclass prints it: without a schema, the name may be that of another table when the statement is parsed
    v_name pg_catalog.text := (pg_catalog.pg_identify_object('pg_catalog.pg_class'::pg_catalog.regclass, p_partition, 0)).identity;
BEGIN
    tried := '{}';
    FOR v_row_id IN SELECT u.row_id FROM pg_catalog.unnest(p_row_ids) AS u (row_id) ORDER BY u.row_id LOOP
        EXIT WHEN NOT p_is_waiting;
        tried := pg_catalog.array_append(tried, v_row_id);
        EXECUTE pg_catalog.format(
            'SELECT FROM ONLY %s AS r WHERE r.ctid OPERATOR(pg_catalog.=) $1 AND r.session_id IS NULL FOR NO KEY UPDATE', v_name)
          USING v_row_id;
        GET DIAGNOSTICS v_found = ROW_COUNT;
        EXIT WHEN v_found OPERATOR(pg_catalog.>) 0;
    END LOOP;
    EXECUTE pg_catalog.format(
        $lock$
        SELECT coalesce(pg_catalog.array_agg(l.row_id), '{}')
          FROM (SELECT r.ctid AS row_id
                  FROM pg_catalog.unnest($1) AS c (row_id)
                  JOIN ONLY %s AS r ON r.ctid OPERATOR(pg_catalog.=) c.row_id
                 WHERE r.ctid OPERATOR(pg_catalog.>=) $2 AND r.ctid OPERATOR(pg_catalog.<) $3
                   AND r.session_id IS NULL
                   FOR NO KEY UPDATE OF r SKIP LOCKED) AS l
        $lock$,
        v_name)
       INTO locked
      USING p_row_ids, p_from, p_to;
END
$function$
