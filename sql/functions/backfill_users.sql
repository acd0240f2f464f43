CREATE OR REPLACE FUNCTION sessiondb.backfill_users(p_rows integer)
RETURNS TABLE (table_name name, scanned bigint, linked bigint, blocks_done bigint, blocks_total bigint)
LANGUAGE plpgsql
AS $function$
/*
 * backfill_step() where Citus distributes the tables: walks them by user_id, and keeps the last one that is done.
 * blocks_done is what it would be if the users were spread evenly.
 */
DECLARE
    v_at pg_catalog.record;
    v_done pg_catalog.record;
    -- before anything is written, as Citus asks
    v_blocks pg_catalog.jsonb := (
        SELECT pg_catalog.jsonb_object_agg(p.turn,
                   -- not p.partition: a backfill may have begun before the tables were distributed, which gives them another OID
                   -- citus: pg_catalog.citus_table_size(pg_catalog.format('%I.%I', i.platform_schema, p.table_name)::pg_catalog.regclass)
                   -- citus:     OPERATOR(pg_catalog./) 8192 /*
                   pg_catalog.pg_relation_size(p.partition) OPERATOR(pg_catalog./) 8192
                   -- citus: */
                   )
          FROM sessiondb.backfill_progress AS p
         CROSS JOIN sessiondb.installation AS i);
BEGIN
    LOOP
        SELECT p.turn, p.table_name, (p.position OPERATOR(pg_catalog.->>) 'user_id'::pg_catalog.text)::pg_catalog.uuid AS user_id, p.session_id
          INTO v_at
          FROM sessiondb.backfill_progress AS p
         WHERE p.finished_at IS NULL
           -- a role that may run a backfill may write any name into the row
           AND (p.table_name OPERATOR(pg_catalog.=) 'enrollments'::pg_catalog.name
                OR p.table_name OPERATOR(pg_catalog.=) 'submissions'::pg_catalog.name)
         ORDER BY p.turn
         LIMIT 1
           FOR UPDATE;
        IF NOT FOUND THEN
            RETURN;
        END IF;
        EXIT WHEN v_at.user_id IS NULL OR v_at.user_id OPERATOR(pg_catalog.<) 'ffffffff-ffff-ffff-ffff-ffffffffffff';
        UPDATE sessiondb.backfill_progress AS p SET finished_at = pg_catalog.now() WHERE p.turn OPERATOR(pg_catalog.=) v_at.turn;
    END LOOP;

    SELECT l.* INTO v_done FROM sessiondb.link_users(v_at.table_name, v_at.user_id, p_rows, v_at.session_id, false) AS l;
    PERFORM sessiondb.keep_batch(v_at.turn, NULL, v_done.scanned, v_done.linked, 0, v_done.reasons);
    UPDATE sessiondb.backfill_progress AS p
       SET position = pg_catalog.jsonb_build_object('user_id', v_done.last_user)
     WHERE p.turn OPERATOR(pg_catalog.=) v_at.turn;
    RETURN QUERY
        SELECT v_at.table_name, v_done.scanned, v_done.linked,
               pg_catalog.sum(s.blocks OPERATOR(pg_catalog.*) s.done OPERATOR(pg_catalog./) 65535)::pg_catalog.int8,
                   pg_catalog.sum(s.blocks)::pg_catalog.int8
          FROM sessiondb.backfill_progress AS p
         CROSS JOIN LATERAL (
                SELECT (v_blocks OPERATOR(pg_catalog.->>) p.turn::pg_catalog.text)::pg_catalog.int8 AS blocks,
                       CASE WHEN p.finished_at IS NOT NULL THEN 65535
                            ELSE coalesce(
                                ('x' OPERATOR(pg_catalog.||) pg_catalog.left(p.position OPERATOR(pg_catalog.->>) 'user_id'::pg_catalog.text, 4))
                                ::pg_catalog.bit(16)::pg_catalog.int4, 0) END AS done
               ) AS s;
END
$function$
