CREATE OR REPLACE FUNCTION sessiondb.explain_course(p_table text, p_row_id uuid, p_user_id uuid, OUT detail text, OUT fix text)
LANGUAGE plpgsql STABLE
AS $function$
/*
 * Where the way from a row of enrollments or submissions to its course breaks off, at a column that is NULL or at a row
 * that does not exist, and the UPDATE that fixes it. Which course was meant only people know: the statement takes one
 * that the user is enrolled in, if there are several one that has a session for the user.
 *
 * sessiondb.installation keeps the steps of the way; here those that lead to a row are taken off. A literal takes the
 * type of the column that it is compared with.
 */
DECLARE
    v_schema pg_catalog.name := (SELECT i.platform_schema FROM sessiondb.installation AS i);
    v_steps pg_catalog.jsonb := CASE
        WHEN p_table OPERATOR(pg_catalog.=) 'submissions' THEN (SELECT i.course_joins FROM sessiondb.installation AS i)
        ELSE pg_catalog.jsonb_build_array(pg_catalog.jsonb_build_object(
            'from', pg_catalog.format('%I.enrollments', v_schema), 'columns', ARRAY['course_id'],
            'to', pg_catalog.format('%I.courses', v_schema), 'keys', ARRAY['id'], 'operators', ARRAY['OPERATOR(pg_catalog.=)']))
    END;
    v_step pg_catalog.record;
    v_row pg_catalog.jsonb;
    v_next pg_catalog.jsonb;
    v_where pg_catalog.text := pg_catalog.format('id = %L', p_row_id);
    v_column pg_catalog.text;
    v_query pg_catalog.text;
    v_course_id pg_catalog.uuid;
BEGIN
    IF p_row_id IS NULL THEN
        RETURN;
    END IF;
    EXECUTE pg_catalog.format('SELECT pg_catalog.to_jsonb(r) FROM %s AS r WHERE id OPERATOR(pg_catalog.=) $1', v_steps OPERATOR(pg_catalog.->) 0 OPERATOR(pg_catalog.->>) 'from'::pg_catalog.text)
       INTO v_row USING p_row_id;
    FOR v_step IN SELECT s.* FROM pg_catalog.jsonb_to_recordset(v_steps) AS s ("from" pg_catalog.text, columns pg_catalog.text[], "to" pg_catalog.text, keys pg_catalog.text[], operators pg_catalog.text[]) LOOP
        SELECT pg_catalog.format('SELECT pg_catalog.to_jsonb(r) FROM %s AS r WHERE %s', v_step."to",
                   pg_catalog.string_agg(pg_catalog.format('r.%I %s %L', c.key, c.operator, v_row OPERATOR(pg_catalog.->>) c.name), ' AND '))
          INTO v_query
          FROM ROWS FROM (pg_catalog.unnest(v_step.columns), pg_catalog.unnest(v_step.keys), pg_catalog.unnest(v_step.operators)) AS c (name, key, operator);
        EXECUTE v_query INTO v_next;
        EXIT WHEN v_next IS NULL;
        v_row := v_next;
        v_where := (SELECT pg_catalog.string_agg(pg_catalog.format('%I = %L', k.name, v_row OPERATOR(pg_catalog.->>) k.name), ' AND ') FROM pg_catalog.unnest(v_step.keys) AS k (name));
        v_steps := v_steps OPERATOR(pg_catalog.-) 0;
    END LOOP;
    IF v_row IS NULL OR v_next IS NOT NULL THEN
        RETURN;
    END IF;
    v_column := (
        SELECT c.name FROM pg_catalog.unnest(v_step.columns) WITH ORDINALITY AS c (name, place) ORDER BY (v_row OPERATOR(pg_catalog.->>) c.name) IS NULL DESC, c.place LIMIT 1);
    detail := pg_catalog.format('The row leads to no course: %I of table %s is %s in the row with %s.', v_column, v_step."from",
        coalesce((v_row OPERATOR(pg_catalog.->>) v_column) OPERATOR(pg_catalog.||) ', of which there is no row in table ' OPERATOR(pg_catalog.||) v_step."to" OPERATOR(pg_catalog.||) ',', 'NULL'), v_where);

    -- a row that the column could lead to; an enrolment only of the user
    SELECT pg_catalog.format('SELECT pg_catalog.to_jsonb(t1), t%1$s.id FROM %2$s %3$s ORDER BY pg_catalog.array_position($1, t%1$s.id), t1.%4$I LIMIT 1',
               pg_catalog.max(s.place),
               pg_catalog.string_agg(CASE WHEN s.place OPERATOR(pg_catalog.=) 1 THEN s."to" OPERATOR(pg_catalog.||) ' AS t1' ELSE (
                   SELECT pg_catalog.format('JOIN %s AS t%s ON %s', s."to", s.place, pg_catalog.string_agg(
                              pg_catalog.format('t%s.%I %s t%s.%I', s.place, c.key, c.operator, s.place OPERATOR(pg_catalog.-) 1, c.name), ' AND '))
                     FROM ROWS FROM (pg_catalog.unnest(s.columns), pg_catalog.unnest(s.keys), pg_catalog.unnest(s.operators)) AS c (name, key, operator)) END, ' ' ORDER BY s.place),
               CASE WHEN v_step."to"::pg_catalog.regclass::pg_catalog.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(pg_catalog.format('%I.enrollments', v_schema))::pg_catalog.oid
                    THEN pg_catalog.format('WHERE t1.user_id OPERATOR(pg_catalog.=) %L', p_user_id) END,
               v_step.keys[1])
      INTO v_query
      FROM ROWS FROM (pg_catalog.jsonb_to_recordset(v_steps) AS ("from" pg_catalog.text, columns pg_catalog.text[], "to" pg_catalog.text, keys pg_catalog.text[], operators pg_catalog.text[]))
           WITH ORDINALITY AS s ("from", columns, "to", keys, operators, place);
    EXECUTE v_query INTO v_next, v_course_id USING ARRAY(
        SELECT c.id
          FROM (SELECT k.id,
                       EXISTS (SELECT FROM platform.enrollments AS e WHERE e.user_id OPERATOR(pg_catalog.=) p_user_id AND e.course_id OPERATOR(pg_catalog.=) k.id) AS is_enrolled,
                       EXISTS (SELECT FROM platform.org_members AS m JOIN platform.sessions AS s ON s.org_id OPERATOR(pg_catalog.=) m.org_id
                                WHERE m.user_id OPERATOR(pg_catalog.=) p_user_id AND s.course_id OPERATOR(pg_catalog.=) k.id AND s.status OPERATOR(pg_catalog.=) 'active') AS has_session
                  FROM platform.courses AS k) AS c
         WHERE c.is_enrolled OR c.has_session
         ORDER BY c.is_enrolled DESC, c.has_session DESC, c.id);
    IF v_next IS NULL THEN
        fix := pg_catalog.format('Table %s has no row that it could lead to: make one first.', v_step."to");
        RETURN;
    END IF;
    detail := pg_catalog.format('%s The fix takes course %s%s; which was meant only you know.', detail, sessiondb.name_of('course', v_course_id),
        CASE WHEN EXISTS (SELECT FROM platform.enrollments AS e WHERE e.user_id OPERATOR(pg_catalog.=) p_user_id AND e.course_id OPERATOR(pg_catalog.=) v_course_id) THEN ', in which the user is enrolled' END);
    fix := pg_catalog.format('UPDATE %s SET %s WHERE %s', v_step."from",
        (SELECT pg_catalog.string_agg(pg_catalog.format('%I = %L', c.name, v_next OPERATOR(pg_catalog.->>) c.key), ', ') FROM ROWS FROM (pg_catalog.unnest(v_step.columns), pg_catalog.unnest(v_step.keys)) AS c (name, key)),
        v_where);
END
$function$
