CREATE OR REPLACE FUNCTION sessiondb.explain_course(p_table name, p_row_id uuid, p_user_id uuid, OUT detail text, OUT fix text)
LANGUAGE plpgsql
STABLE
SET search_path FROM CURRENT
AS $function$
/*
 * Where the way from a row of enrollments or submissions to its course breaks off, at a column that is NULL or
 * at a row that is gone, and the UPDATE that mends it. Which course was meant only people know: the statement
 * takes one that the user is enrolled in, if there are several one that has a session for him.
 *
 * sessiondb.installation keeps what is joined on the way. t0 is the row that is asked about, t1 and so on are
 * those that it leads to. A literal takes the type of the column that it is compared with.
 */
DECLARE
    v_joins jsonb := CASE p_table
        WHEN 'submissions' THEN (SELECT i.course_joins FROM sessiondb.installation AS i)
        ELSE pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object(
            'from', pg_catalog.format('%I.enrollments', pg_catalog.current_schema()), 'columns', ARRAY['course_id'],
            'to', pg_catalog.format('%I.courses', pg_catalog.current_schema()), 'keys', ARRAY['id'], 'operators', ARRAY['OPERATOR(pg_catalog.=)']))
    END;
    v_last integer := pg_catalog.jsonb_array_length(v_joins);
    v_conditions text[];
    v_query text;
    v_rows jsonb;
    v_place integer;
    v_join jsonb;
    v_row jsonb;
    v_where text;
    v_column text;
    v_courses uuid[];
    v_found jsonb;
    v_course_id uuid;
BEGIN
    SELECT pg_catalog.array_agg(
               (SELECT pg_catalog.string_agg(pg_catalog.format('t%s.%I %s t%s.%I', j.place, c.key, c.operator, j.place - 1, c.column_name), ' AND ')
                  FROM ROWS FROM (pg_catalog.jsonb_array_elements_text(j.step -> 'columns'),
                                  pg_catalog.jsonb_array_elements_text(j.step -> 'keys'),
                                  pg_catalog.jsonb_array_elements_text(j.step -> 'operators')) AS c (column_name, key, operator))
               ORDER BY j.place)
      INTO v_conditions
      FROM pg_catalog.jsonb_array_elements(v_joins) WITH ORDINALITY AS j (step, place);

    -- the rows on the way, as far as there are any
    SELECT pg_catalog.format('SELECT pg_catalog.jsonb_build_array(pg_catalog.to_jsonb(t0), %s) FROM %s AS t0 %s WHERE t0.id = %L',
               pg_catalog.string_agg(pg_catalog.format('pg_catalog.to_jsonb(t%s)', n.place), ', ' ORDER BY n.place),
               v_joins -> 0 ->> 'from',
               pg_catalog.string_agg(pg_catalog.format('LEFT JOIN %s AS t%s ON %s', v_joins -> (n.place - 1) ->> 'to', n.place, v_conditions[n.place]), ' ' ORDER BY n.place),
               p_row_id)
      INTO v_query
      FROM pg_catalog.generate_series(1, v_last) AS n (place);
    EXECUTE v_query INTO v_rows;
    v_place := (SELECT pg_catalog.min(n.place) FROM pg_catalog.generate_series(1, v_last) AS n (place) WHERE v_rows -> n.place = 'null'::jsonb);
    IF v_place IS NULL THEN
        RETURN;
    END IF;

    -- the last row that there is, how to name it, and its column that leads no further
    v_join := v_joins -> (v_place - 1);
    v_row := v_rows -> (v_place - 1);
    v_where := CASE
        WHEN v_place = 1 THEN pg_catalog.format('id = %L', p_row_id)
        ELSE (SELECT pg_catalog.string_agg(pg_catalog.format('%I = %L', k.name, v_row ->> k.name), ' AND ')
                FROM pg_catalog.jsonb_array_elements_text(v_joins -> (v_place - 2) -> 'keys') AS k (name))
    END;
    SELECT c.name INTO v_column
      FROM pg_catalog.jsonb_array_elements_text(v_join -> 'columns') WITH ORDINALITY AS c (name, place)
     ORDER BY (v_row ->> c.name) IS NULL DESC, c.place
     LIMIT 1;
    detail := pg_catalog.format('The row leads to no course: %I of table %s is %s in the row with %s.',
        v_column, v_join ->> 'from',
        coalesce((v_row ->> v_column) || ', of which there is no row in table ' || (v_join ->> 'to') || ',', 'NULL'), v_where);

    v_courses := ARRAY(
        SELECT c.course_id
          FROM (SELECT e.course_id, true AS is_enrolled FROM enrollments AS e WHERE e.user_id = p_user_id
                UNION ALL
                SELECT s.course_id, false
                  FROM org_members AS m
                  JOIN sessions AS s ON s.org_id = m.org_id
                 WHERE m.user_id = p_user_id
                   AND s.status OPERATOR(pg_catalog.=) 'active') AS c
         GROUP BY c.course_id
         ORDER BY pg_catalog.bool_or(c.is_enrolled) DESC,
                  (SELECT h.session_id FROM sessiondb.choose_sessions(ARRAY[p_user_id], ARRAY[c.course_id], false) AS h) IS NULL,
                  c.course_id);
    SELECT pg_catalog.format('SELECT pg_catalog.to_jsonb(t%s), t%s.id FROM %s AS t%s %s %s ORDER BY pg_catalog.array_position($1, t%s.id), t%s.%I LIMIT 1',
               v_place, v_last, v_join ->> 'to', v_place,
               pg_catalog.string_agg(pg_catalog.format('JOIN %s AS t%s ON %s', v_joins -> (n.place - 1) ->> 'to', n.place, v_conditions[n.place]), ' ' ORDER BY n.place),
               -- an enrolment of somebody else would be none of his
               CASE WHEN (v_join ->> 'to')::regclass = 'enrollments'::regclass THEN pg_catalog.format('WHERE t%s.user_id = %L', v_place, p_user_id) END,
               v_last, v_place, v_join -> 'keys' ->> 0)
      INTO v_query
      FROM pg_catalog.generate_series(v_place + 1, v_last) AS n (place);
    EXECUTE v_query INTO v_found, v_course_id USING v_courses;
    IF v_found IS NULL THEN
        fix := pg_catalog.format('Table %s has no row that it could lead to: make one first.', v_join ->> 'to');
        RETURN;
    END IF;
    detail := pg_catalog.format('%s The fix takes course %s%s; which was meant only you know.', detail,
        (SELECT coalesce('"' || (pg_catalog.to_jsonb(k.*) ->> 'title'::text) || '" (' || k.id::text || ')', k.id::text) FROM courses AS k WHERE k.id = v_course_id),
        CASE WHEN EXISTS (SELECT FROM enrollments AS e WHERE e.user_id = p_user_id AND e.course_id = v_course_id) THEN ', in which the user is enrolled' END);
    fix := pg_catalog.format('UPDATE %s SET %s WHERE %s', v_join ->> 'from',
        (SELECT pg_catalog.string_agg(pg_catalog.format('%I = %L', c.column_name, v_found ->> c.key), ', ')
           FROM ROWS FROM (pg_catalog.jsonb_array_elements_text(v_join -> 'columns'), pg_catalog.jsonb_array_elements_text(v_join -> 'keys'))
                AS c (column_name, key)),
        v_where);
END
$function$
