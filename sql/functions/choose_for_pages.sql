CREATE OR REPLACE FUNCTION sessiondb.choose_for_pages(
    p_table name, p_partition regclass, p_from tid, p_to tid, p_session_id uuid,
    OUT scanned bigint, OUT row_ids tid[], OUT session_ids uuid[], OUT reasons jsonb
)
LANGUAGE plpgsql STABLE
AS $function$
/*
 * For the rows without a session in a range of pages of a table or partition: their number, the rows for which the
 * trigger would choose a session now, with that session, and the number of the others by reason.
 *
 * p_session_id  only rows that belong to this session; NULL for all
 *
 * The rows are passed in arrays, whose length the planner knows. It has no statistics on a column that was just added,
 * would expect only few rows without a session, and would choose a nested loop. The SQL is dynamic only because of the
 * name of the partition.
 */
DECLARE
    v_user_ids pg_catalog.uuid[];
    v_course_ids pg_catalog.uuid[];
    -- not as regclass prints it: without a schema, the name may be that of another table when the statement is parsed
    v_name pg_catalog.text := (pg_catalog.pg_identify_object('pg_catalog.pg_class'::pg_catalog.regclass, p_partition, 0)).identity;
BEGIN
    EXECUTE pg_catalog.format(
        $read$
        SELECT pg_catalog.array_agg(r.ctid), pg_catalog.array_agg(r.user_id), pg_catalog.array_agg(%s)
          FROM ONLY %s AS r
         WHERE r.ctid OPERATOR(pg_catalog.>=) $1 AND r.ctid OPERATOR(pg_catalog.<) $2
           AND r.session_id IS NULL
        $read$,
        CASE WHEN p_table OPERATOR(pg_catalog.=) 'submissions' THEN sessiondb.course_expression('r') ELSE 'r.course_id' END, v_name)
       INTO row_ids, v_user_ids, v_course_ids
      USING p_from, p_to;

    WITH candidate AS (
        SELECT c.row_id, c.user_id, c.course_id
          FROM ROWS FROM (pg_catalog.unnest(row_ids), pg_catalog.unnest(v_user_ids), pg_catalog.unnest(v_course_ids))
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
         CROSS JOIN LATERAL sessiondb.choose_sessions(p.user_ids, p.course_ids, p_table OPERATOR(pg_catalog.=) 'submissions') AS s
    ),
    outcome AS (
        SELECT c.row_id, h.session_id,
               CASE
                   WHEN c.course_id IS NULL THEN 'course_unknown'
                   WHEN c.user_id IS NULL THEN 'no_membership'
                   ELSE h.reason
               END AS reason
          FROM candidate AS c
          LEFT JOIN choice AS h ON h.user_id OPERATOR(pg_catalog.=) c.user_id AND h.course_id OPERATOR(pg_catalog.=) c.course_id
         WHERE p_session_id IS NULL OR h.session_id OPERATOR(pg_catalog.=) p_session_id
    )
    SELECT pg_catalog.count(*),
           pg_catalog.array_agg(o.row_id) FILTER (WHERE o.session_id IS NOT NULL),
           pg_catalog.array_agg(o.session_id) FILTER (WHERE o.session_id IS NOT NULL),
           (SELECT coalesce(pg_catalog.jsonb_object_agg(u.reason, u.rows), '{}')
              FROM (SELECT o.reason, pg_catalog.count(*) AS rows
                      FROM outcome AS o WHERE o.session_id IS NULL GROUP BY o.reason) AS u)
      INTO scanned, row_ids, session_ids, reasons
      FROM outcome AS o;
END
$function$
