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
    v_kept pg_catalog.int8;
    v_prepared pg_catalog.text := pg_catalog.concat('sessiondb_', pg_catalog.gen_random_uuid());
    -- not as regclass prints it: without a schema, the name may be that of another table when the statement is parsed
    v_name pg_catalog.text := (pg_catalog.pg_identify_object('pg_catalog.pg_class'::pg_catalog.regclass, p_partition, 0)).identity;
BEGIN
    -- a lock, although a read takes one: the name is looked up before a wait for it, and could be that of another table after it
    EXECUTE pg_catalog.format('PREPARE %I AS SELECT FROM ONLY %s', v_prepared, v_name);
    EXECUTE pg_catalog.format('DEALLOCATE %I', v_prepared);
    PERFORM sessiondb.require_name(p_partition, v_name);
    SELECT c.scanned, c.row_ids, c.session_ids, c.reasons, coalesce(pg_catalog.cardinality(c.row_ids), 0), 0
      INTO scanned, v_row_ids, v_session_ids, reasons, linked, skipped
      FROM sessiondb.choose_for_pages(p_table, p_partition, p_from, p_to, p_session_id) AS c;

    IF linked OPERATOR(pg_catalog.>) 0 AND p_mode OPERATOR(pg_catalog.<>) 'count' THEN
        SELECT l.locked, l.tried
          INTO v_locked, v_tried
          FROM sessiondb.lock_rows(p_partition, v_row_ids, p_from, p_to, p_mode OPERATOR(pg_catalog.=) 'wait') AS l;
        -- While it waited for a row, no lock kept the name of the schema. Only a lock lets this session see that it was renamed.
        EXECUTE pg_catalog.format('LOCK TABLE ONLY %s IN ROW EXCLUSIVE MODE', v_name);
        PERFORM sessiondb.require_name(p_partition, v_name);
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
                    SELECT pg_catalog.count(*)
                        FILTER (WHERE r.row_id OPERATOR(pg_catalog.=) ANY (v_tried) AND r.row_id OPERATOR(pg_catalog.<>) ALL (v_locked)) AS hidden,
                           pg_catalog.count(*) FILTER (WHERE r.row_id OPERATOR(pg_catalog.<>) ALL (v_row_ids)) AS new
                      FROM pg_catalog.unnest(c.row_ids) AS r (row_id)
                   ) AS n;
        END IF;

        SELECT coalesce(pg_catalog.array_agg(r.row_id), '{}'), coalesce(pg_catalog.array_agg(r.session_id), '{}')
          INTO v_row_ids, v_session_ids
          FROM ROWS FROM (pg_catalog.unnest(v_row_ids), pg_catalog.unnest(v_session_ids)) AS r (row_id, session_id)
         WHERE r.row_id OPERATOR(pg_catalog.=) ANY (v_locked);
        v_kept := sessiondb.write_links(p_partition, v_name, v_row_ids, v_session_ids, p_from, p_to);
        linked := pg_catalog.cardinality(v_row_ids) OPERATOR(pg_catalog.-) v_kept;
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
