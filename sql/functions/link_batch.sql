CREATE OR REPLACE FUNCTION sessiondb.link_batch(
    p_table name, p_partition regclass, p_from tid, p_to tid, p_session_id uuid, p_mode text
)
RETURNS TABLE (scanned bigint, linked bigint, skipped bigint, reasons jsonb)
LANGUAGE plpgsql
AS $function$
/*
 * Links the rows without a session in a range of pages of enrollments or submissions (p_table), or of a partition, to
 * the session that the trigger would choose now, and counts the rows for which there is none, by reason.
 *
 * p_session_id  only rows that belong to this session; NULL for all
 * p_mode        link: a row that another transaction has locked is skipped; wait: it is waited for, and skipped if it
 *               was changed meanwhile; then the sessions are chosen; count: nothing is written, linked is what would be
 *
 * Only rows that get a session are locked, and only as strongly as by an UPDATE of a column that is not a key.
 */
DECLARE
    v_row_ids pg_catalog.tid[];
    v_session_ids pg_catalog.uuid[];
    v_locked pg_catalog.tid[];
    v_tried pg_catalog.tid[];
    v_prepared pg_catalog.text := pg_catalog.concat('sessiondb_', pg_catalog.gen_random_uuid());
    -- not as regclass prints it: without a schema, the name may be that of another table when the statement is parsed
    v_name pg_catalog.text := (pg_catalog.pg_identify_object('pg_catalog.pg_class'::pg_catalog.regclass, p_partition, 0)).identity;
    v_root pg_catalog.text := (pg_catalog.pg_identify_object('pg_catalog.pg_class'::pg_catalog.regclass, pg_catalog.pg_partition_root(p_partition), 0)).identity;
    v_update pg_catalog.text := $update$
        UPDATE %s AS r
           SET session_id = l.session_id
          FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS l (row_id, session_id)
         WHERE r.tableoid OPERATOR(pg_catalog.=) $6 AND r.ctid OPERATOR(pg_catalog.=) l.row_id
           AND r.ctid OPERATOR(pg_catalog.>=) $3 AND r.ctid OPERATOR(pg_catalog.<) $4
           AND l.row_id OPERATOR(pg_catalog.=) ANY ($5)
        $update$;
    v_constraint pg_catalog.text;
    v_kept pg_catalog.int8;
BEGIN
    -- a lock, although a read takes one: the name is looked up before a wait for it, and could be that of another table after it
    EXECUTE pg_catalog.format('PREPARE %I AS SELECT FROM ONLY %s', v_prepared, v_name);
    EXECUTE pg_catalog.format('DEALLOCATE %I', v_prepared);
    IF NOT coalesce(pg_catalog.to_regclass(v_name)::pg_catalog.oid OPERATOR(pg_catalog.=) p_partition::pg_catalog.oid, false) THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = pg_catalog.format('table %s was renamed before a batch', v_name);
    END IF;
    SELECT c.scanned, c.row_ids, c.session_ids, c.reasons, coalesce(pg_catalog.cardinality(c.row_ids), 0), 0
      INTO scanned, v_row_ids, v_session_ids, reasons, linked, skipped
      FROM sessiondb.choose_for_pages(p_table, p_partition, p_from, p_to, p_session_id) AS c;

    IF linked OPERATOR(pg_catalog.>) 0 AND p_mode OPERATOR(pg_catalog.<>) 'count' THEN
        SELECT l.locked, l.tried
          INTO v_locked, v_tried
          FROM sessiondb.lock_rows(p_partition, v_row_ids, p_from, p_to, p_mode OPERATOR(pg_catalog.=) 'wait') AS l;
        -- While it waited for a row, no lock kept the name of the schema. Only a lock lets this session see that it was renamed.
        EXECUTE pg_catalog.format('LOCK TABLE ONLY %s IN ROW EXCLUSIVE MODE', v_name);
        IF NOT coalesce(pg_catalog.to_regclass(v_name)::pg_catalog.oid OPERATOR(pg_catalog.=) p_partition::pg_catalog.oid, false) THEN
            RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = pg_catalog.format('table %s was renamed during a batch', v_name);
        END IF;
        skipped := linked OPERATOR(pg_catalog.-) pg_catalog.cardinality(v_locked);
        IF p_mode OPERATOR(pg_catalog.=) 'wait' THEN
            -- A session may have been closed meanwhile. What was tried in vain but is chosen again, a policy does not let this role update;
            -- if that counted as skipped, the passes would never end. A row that was not chosen before is for another pass.
            SELECT c.scanned, c.reasons OPERATOR(pg_catalog.||)
                       CASE WHEN n.hidden OPERATOR(pg_catalog.>) 0 THEN pg_catalog.jsonb_build_object('row_security', n.hidden) ELSE '{}' END,
                   c.row_ids, c.session_ids, skipped OPERATOR(pg_catalog.-) n.hidden OPERATOR(pg_catalog.+) n.new
              INTO scanned, reasons, v_row_ids, v_session_ids, skipped
              FROM sessiondb.choose_for_pages(p_table, p_partition, p_from, p_to, p_session_id) AS c
             CROSS JOIN LATERAL (
                    SELECT pg_catalog.count(*) FILTER (WHERE r.row_id OPERATOR(pg_catalog.=) ANY (v_tried) AND r.row_id OPERATOR(pg_catalog.<>) ALL (v_locked)) AS hidden,
                           pg_catalog.count(*) FILTER (WHERE r.row_id OPERATOR(pg_catalog.<>) ALL (v_row_ids)) AS new
                      FROM pg_catalog.unnest(c.row_ids) AS r (row_id)
                   ) AS n;
        END IF;

        v_locked := ARRAY(SELECT r.row_id FROM pg_catalog.unnest(v_row_ids) AS r (row_id) WHERE r.row_id OPERATOR(pg_catalog.=) ANY (v_locked));
        BEGIN
            EXECUTE pg_catalog.format(v_update, 'ONLY ' OPERATOR(pg_catalog.||) v_name) USING v_row_ids, v_session_ids, p_from, p_to, v_locked, p_partition::pg_catalog.oid;
        EXCEPTION WHEN check_violation THEN
            -- without the name of a constraint, a trigger of the platform has changed what a row's partition is found by
            GET STACKED DIAGNOSTICS v_constraint = CONSTRAINT_NAME;
            IF v_constraint OPERATOR(pg_catalog.<>) '' OR v_root IS NULL THEN
                RAISE;
            END IF;
            EXECUTE pg_catalog.format('LOCK TABLE %s IN ROW EXCLUSIVE MODE', v_root);
            IF NOT coalesce(pg_catalog.to_regclass(v_root)::pg_catalog.oid OPERATOR(pg_catalog.=) pg_catalog.pg_partition_root(p_partition)::pg_catalog.oid, false) THEN
                RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = pg_catalog.format('table %s was renamed during a batch', v_root);
            END IF;
            EXECUTE pg_catalog.format(v_update, v_root) USING v_row_ids, v_session_ids, p_from, p_to, v_locked, p_partition::pg_catalog.oid;
        END;
        -- a trigger or rule of the platform keeps these as they are; ROW_COUNT would be that of what the rule does instead
        EXECUTE pg_catalog.format('SELECT pg_catalog.count(*) FROM ONLY %s AS r WHERE r.ctid OPERATOR(pg_catalog.=) ANY ($1) AND r.session_id IS NULL', v_name)
           INTO v_kept
          USING v_locked;
        linked := pg_catalog.cardinality(v_locked) OPERATOR(pg_catalog.-) v_kept;
        IF v_kept OPERATOR(pg_catalog.>) 0 THEN
            reasons := reasons OPERATOR(pg_catalog.||) pg_catalog.jsonb_build_object('not_written', v_kept);
        END IF;
        -- the batch is repeated, as when a row was moved to another partition; not if a trigger of the platform closes one that is full now
        IF EXISTS (
            SELECT FROM platform.sessions
             WHERE id OPERATOR(pg_catalog.=) ANY (v_session_ids) AND status::pg_catalog.text OPERATOR(pg_catalog.<>) 'active'
               AND NOT sessiondb.is_of_this_transaction(xmin))
        THEN
            RAISE EXCEPTION USING ERRCODE = 'serialization_failure', MESSAGE = 'a session was closed while its rows were linked';
        END IF;
    END IF;
    RETURN NEXT;
END
$function$
