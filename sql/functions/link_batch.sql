CREATE OR REPLACE FUNCTION sessiondb.link_batch(
    p_table name, p_partition regclass, p_from_block bigint, p_to_block bigint, p_session_id uuid, p_mode text
)
RETURNS TABLE (scanned bigint, linked bigint, skipped bigint, reasons jsonb)
LANGUAGE plpgsql
VOLATILE
SET search_path FROM CURRENT
AS $function$
/*
 * Links the rows without a session in a range of pages of enrollments or submissions (p_table), or of
 * one partition of it, to what the trigger would choose now, and counts those for which there is nothing to choose, by reason.
 *
 * p_session_id  only rows that belong to this session; NULL for all
 * p_mode        link: a row that somebody else has locked is skipped; wait: it is waited for, and skipped
 *               if it was changed meanwhile; count: nothing is written, and linked is what would be
 *
 * Only rows that get a session are locked, and no more strongly than an UPDATE of a column that is no
 * key does. From one statement to the next the rows are kept in arrays, whose length the planner knows:
 * of a column that was added just now it knows nothing, takes the rows without a session for a few, and
 * would compare each with each. The SQL is put together for the name of the partition alone.
 */
DECLARE
    v_from tid := pg_catalog.format('(%s,0)', p_from_block)::tid;
    v_to tid := pg_catalog.format('(%s,0)', p_to_block)::tid;
    v_row_ids tid[];
    v_user_ids uuid[];
    v_course_ids uuid[];
    v_session_ids uuid[];
BEGIN
    EXECUTE pg_catalog.format(
        $read$
        SELECT pg_catalog.array_agg(r.ctid), pg_catalog.array_agg(r.user_id), pg_catalog.array_agg(%s)
          FROM ONLY %s AS r
         WHERE r.ctid >= $1 AND r.ctid < $2
           AND r.session_id IS NULL
        $read$,
        CASE p_table WHEN 'submissions' THEN $course$course_of(r)$course$ ELSE 'r.course_id' END, p_partition)
       INTO v_row_ids, v_user_ids, v_course_ids
      USING v_from, v_to;

    WITH candidate AS (
        SELECT c.row_id, c.user_id, c.course_id
          FROM ROWS FROM (pg_catalog.unnest(v_row_ids), pg_catalog.unnest(v_user_ids), pg_catalog.unnest(v_course_ids))
               AS c (row_id, user_id, course_id)
    ),
    pair AS (
        SELECT pg_catalog.array_agg(d.user_id) AS user_ids, pg_catalog.array_agg(d.course_id) AS course_ids
          FROM (SELECT DISTINCT c.user_id, c.course_id
                  FROM candidate AS c
                 WHERE c.user_id IS NOT NULL AND c.course_id IS NOT NULL) AS d
    ),
    choice AS (
        SELECT s.*
          FROM pair AS p
         CROSS JOIN LATERAL sessiondb.choose_sessions(p.user_ids, p.course_ids, p_table = 'submissions') AS s
    ),
    outcome AS (
        SELECT c.row_id, h.session_id,
               CASE
                   WHEN c.course_id IS NULL THEN 'course_unknown'
                   WHEN c.user_id IS NULL THEN 'no_membership'
                   ELSE h.reason
               END AS reason
          FROM candidate AS c
          LEFT JOIN choice AS h ON h.user_id = c.user_id AND h.course_id = c.course_id
         WHERE p_session_id IS NULL OR h.session_id = p_session_id
    )
    SELECT pg_catalog.count(*),
           pg_catalog.array_agg(o.row_id) FILTER (WHERE o.session_id IS NOT NULL),
           pg_catalog.array_agg(o.session_id) FILTER (WHERE o.session_id IS NOT NULL),
           (SELECT coalesce(pg_catalog.jsonb_object_agg(u.reason, u.rows), '{}')
              FROM (SELECT o.reason, pg_catalog.count(*) AS rows
                      FROM outcome AS o WHERE o.session_id IS NULL GROUP BY o.reason) AS u)
      INTO scanned, v_row_ids, v_session_ids, reasons
      FROM outcome AS o;
    linked := coalesce(pg_catalog.cardinality(v_row_ids), 0);
    skipped := 0;

    IF linked > 0 AND p_mode <> 'count' THEN
        EXECUTE pg_catalog.format(
            $lock$
            SELECT pg_catalog.array_agg(l.row_id), pg_catalog.array_agg(l.session_id)
              FROM (SELECT r.ctid AS row_id, c.session_id
                      FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS c (row_id, session_id)
                      JOIN ONLY %s AS r ON r.ctid = c.row_id
                     WHERE r.ctid >= $3 AND r.ctid < $4
                       AND r.session_id IS NULL
                       FOR NO KEY UPDATE OF r %s) AS l
            $lock$,
            p_partition, CASE p_mode WHEN 'link' THEN 'SKIP LOCKED' END)
           INTO v_row_ids, v_session_ids
          USING v_row_ids, v_session_ids, v_from, v_to;
        skipped := linked - coalesce(pg_catalog.cardinality(v_row_ids), 0);

        EXECUTE pg_catalog.format(
            $update$
            UPDATE ONLY %s AS r
               SET session_id = l.session_id
              FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS l (row_id, session_id)
             WHERE r.ctid = l.row_id
               AND r.ctid >= $3 AND r.ctid < $4
            $update$,
            p_partition)
          USING v_row_ids, v_session_ids, v_from, v_to;
        GET DIAGNOSTICS linked = ROW_COUNT;
    END IF;
    RETURN NEXT;
END
$function$
