CREATE OR REPLACE FUNCTION sessiondb.link_users(
    p_table name, p_after uuid, p_rows integer, p_session_id uuid, p_is_counting boolean,
    OUT last_user uuid, OUT scanned bigint, OUT linked bigint, OUT reasons jsonb
)
LANGUAGE plpgsql
AS $function$
/*
 * link_batch() where Citus distributes the table, whose pages are elsewhere: the rows without a session of the next
 * users after p_after, NULL for the first, about p_rows of them. last_user is where the next batch begins.
 *
 * What the triggers would choose is the same for all rows of a user in a course, so it is asked once for them, and they
 * are linked together. A row that another transaction has locked is waited for; one that is linked by then is left.
 *
 * p_session_id   only rows that belong to this session; NULL for all
 * p_is_counting  nothing is written, and linked is what would be
 */
DECLARE
    v_name pg_catalog.text := (SELECT pg_catalog.format('%I.%I', i.platform_schema, p_table) FROM sessiondb.installation AS i);
    v_course pg_catalog.text := CASE WHEN p_table OPERATOR(pg_catalog.=) 'submissions' THEN sessiondb.course_expression('r') ELSE 'r.course_id' END;
    v_which pg_catalog.text := CASE WHEN p_after IS NULL THEN 'r.session_id IS NULL'
                                    ELSE pg_catalog.format('r.session_id IS NULL AND r.user_id OPERATOR(pg_catalog.>) %L', p_after) END;
    v_user_ids pg_catalog.uuid[];
    v_course_ids pg_catalog.uuid[];
    v_rows pg_catalog.int8[];
    v_session_ids pg_catalog.uuid[];
BEGIN
    EXECUTE pg_catalog.format('SELECT r.user_id FROM %s AS r WHERE %s ORDER BY r.user_id OFFSET %s LIMIT 1',
                              v_name, v_which, p_rows OPERATOR(pg_catalog.-) 1)
       INTO last_user;
    last_user := coalesce(last_user, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::pg_catalog.uuid);
    v_which := v_which OPERATOR(pg_catalog.||) pg_catalog.format(' AND r.user_id OPERATOR(pg_catalog.<=) %L', last_user);
    EXECUTE pg_catalog.format(
        $read$
        SELECT pg_catalog.array_agg(g.user_id), pg_catalog.array_agg(g.course_id), pg_catalog.array_agg(g.rows)
          FROM (SELECT r.user_id, %s AS course_id, pg_catalog.count(*) AS rows FROM %s AS r WHERE %s GROUP BY 1, 2) AS g
        $read$, v_course, v_name, v_which)
       INTO v_user_ids, v_course_ids, v_rows;

    WITH candidate AS (
        SELECT c.user_id, c.course_id, c.rows
          FROM ROWS FROM (pg_catalog.unnest(v_user_ids), pg_catalog.unnest(v_course_ids), pg_catalog.unnest(v_rows)) AS c (user_id, course_id, rows)
    ),
    outcome AS (
        SELECT c.user_id, c.course_id, c.rows, h.session_id, coalesce(h.reason, 'course_unknown') AS reason
          FROM candidate AS c
          LEFT JOIN (SELECT pg_catalog.array_agg(k.user_id) AS user_ids, pg_catalog.array_agg(k.course_id) AS course_ids
                       FROM candidate AS k WHERE k.course_id IS NOT NULL) AS p ON true
          LEFT JOIN LATERAL sessiondb.choose_sessions(p.user_ids, p.course_ids, p_table OPERATOR(pg_catalog.=) 'submissions') AS h
                 ON h.user_id OPERATOR(pg_catalog.=) c.user_id AND h.course_id OPERATOR(pg_catalog.=) c.course_id
         WHERE p_session_id IS NULL OR h.session_id OPERATOR(pg_catalog.=) p_session_id
    )
    SELECT coalesce(pg_catalog.sum(o.rows), 0), coalesce(pg_catalog.sum(o.rows) FILTER (WHERE o.session_id IS NOT NULL), 0),
           pg_catalog.array_agg(o.user_id) FILTER (WHERE o.session_id IS NOT NULL),
           pg_catalog.array_agg(o.course_id) FILTER (WHERE o.session_id IS NOT NULL),
           pg_catalog.array_agg(o.session_id) FILTER (WHERE o.session_id IS NOT NULL),
           (SELECT coalesce(pg_catalog.jsonb_object_agg(u.reason, u.rows), '{}')
              FROM (SELECT n.reason, pg_catalog.sum(n.rows) AS rows FROM outcome AS n WHERE n.session_id IS NULL GROUP BY n.reason) AS u)
      INTO scanned, linked, v_user_ids, v_course_ids, v_session_ids, reasons
      FROM outcome AS o;

    IF linked OPERATOR(pg_catalog.>) 0 AND NOT p_is_counting THEN
        EXECUTE pg_catalog.format(
            $update$
            UPDATE %s AS r
               SET session_id = c.session_id
              FROM (SELECT pg_catalog.unnest($1) AS user_id, pg_catalog.unnest($2) AS course_id, pg_catalog.unnest($3) AS session_id) AS c
             WHERE r.user_id OPERATOR(pg_catalog.=) c.user_id AND %s OPERATOR(pg_catalog.=) c.course_id AND %s
            $update$, v_name, v_course, v_which)
          USING v_user_ids, v_course_ids, v_session_ids;
        GET DIAGNOSTICS linked = ROW_COUNT;
    END IF;
END
$function$
