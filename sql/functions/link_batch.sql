CALL sessiondb.compile($compile$
CREATE OR REPLACE FUNCTION sessiondb.link_batch(
    p_table name, p_partition regclass, p_from_block bigint, p_to_block bigint, p_session_id uuid, p_mode text
)
RETURNS TABLE (scanned bigint, linked bigint, skipped bigint, reasons jsonb)
LANGUAGE plpgsql
VOLATILE
SECURITY INVOKER
SET search_path FROM CURRENT
AS $function$
/*
 * Links the rows without a session in a range of pages of enrollments or submissions (p_table), or of
 * one partition of it, to what the trigger would choose now, and counts those for which there is nothing to choose, by reason.
 *
 * p_session_id  only rows that belong to this session; NULL for all
 * p_mode        link: a row that somebody else has locked is skipped; wait: it is waited for;
 *               count: nothing is written, and linked is what would be
 *
 * Only rows that get a session are locked, and no more strongly than an UPDATE of a column that is no
 * key does. The SQL is put together for the name of the partition alone, once for a batch.
 */
BEGIN
    RETURN QUERY EXECUTE pg_catalog.replace(pg_catalog.replace(pg_catalog.replace(
        $batch$
        WITH candidate AS MATERIALIZED (
            SELECT r.ctid AS row_id, r.user_id, {course} AS course_id
              FROM ONLY {partition} AS r
             WHERE r.ctid >= $1 AND r.ctid < $2
               AND r.session_id IS NULL
        ),
        pair AS (
            SELECT pg_catalog.array_agg(d.user_id) AS user_ids, pg_catalog.array_agg(d.course_id) AS course_ids
              FROM (SELECT DISTINCT c.user_id, c.course_id
                      FROM candidate AS c
                     WHERE c.user_id IS NOT NULL AND c.course_id IS NOT NULL) AS d
        ),
        choice AS MATERIALIZED (
            SELECT s.* FROM pair AS p CROSS JOIN LATERAL sessiondb.choose_sessions(p.user_ids, p.course_ids, $4) AS s
        ),
        outcome AS MATERIALIZED (
            SELECT c.row_id, h.session_id,
                   CASE
                       WHEN c.course_id IS NULL THEN 'course_unknown'
                       WHEN c.user_id IS NULL THEN 'no_membership'
                       ELSE h.reason
                   END AS reason
              FROM candidate AS c
              LEFT JOIN choice AS h ON h.user_id = c.user_id AND h.course_id = c.course_id
             WHERE $3 IS NULL OR h.session_id = $3
        ),
        {linked},
        counted AS (
            SELECT (SELECT pg_catalog.count(*) FROM outcome AS o) AS scanned,
                   (SELECT pg_catalog.count(*) FROM outcome AS o WHERE o.session_id IS NOT NULL) AS linkable,
                   (SELECT pg_catalog.count(*) FROM linked) AS linked
        )
        SELECT c.scanned,
               CASE WHEN $5 THEN c.linked ELSE c.linkable END,
               CASE WHEN $5 THEN c.linkable - c.linked ELSE 0 END,
               (SELECT coalesce(pg_catalog.jsonb_object_agg(u.reason, u.rows), '{}')
                  FROM (SELECT o.reason, pg_catalog.count(*) AS rows
                          FROM outcome AS o WHERE o.session_id IS NULL GROUP BY o.reason) AS u)
          FROM counted AS c
        $batch$,
        '{linked}',
        CASE p_mode
            WHEN 'count' THEN 'linked AS (SELECT WHERE false)'
            ELSE
                $linked$
        free AS MATERIALIZED (
            SELECT r.ctid AS row_id
              FROM ONLY {partition} AS r
             WHERE r.ctid = ANY (ARRAY(SELECT o.row_id FROM outcome AS o WHERE o.session_id IS NOT NULL))
               AND r.session_id IS NULL
               FOR NO KEY UPDATE $linked$ || CASE p_mode WHEN 'link' THEN 'SKIP LOCKED' ELSE '' END || $linked$
        ),
        linked AS (
            UPDATE ONLY {partition} AS r
               SET session_id = o.session_id
              FROM free AS f
              JOIN outcome AS o ON o.row_id = f.row_id
             WHERE r.ctid = f.row_id
               AND r.ctid >= $1 AND r.ctid < $2
            RETURNING 1
        )
                $linked$
        END),
        '{course}', CASE p_table WHEN 'submissions' THEN $course$course_of(r)$course$ ELSE 'r.course_id' END),
        '{partition}', p_partition::text)
    USING pg_catalog.format('(%s,0)', p_from_block)::tid, pg_catalog.format('(%s,0)', p_to_block)::tid,
          p_session_id, p_table = 'submissions', p_mode <> 'count';
END
$function$
$compile$);

COMMENT ON FUNCTION sessiondb.link_batch(name, regclass, bigint, bigint, uuid, text) IS
    'Links the rows without a session in a range of pages of a table, or counts what it would link';

REVOKE ALL ON FUNCTION sessiondb.link_batch(name, regclass, bigint, bigint, uuid, text) FROM PUBLIC;
