CREATE OR REPLACE FUNCTION sessiondb.explain_course(p_table text, p_row_id uuid, p_user_id uuid, OUT detail text, OUT fix text)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Where the path from a row of enrollments or submissions to its course is broken, at a column that is NULL or at a row
 * that does not exist, and the UPDATE that fixes it. It cannot know which course was meant: the statement takes one in
 * which the user is enrolled; if there are several, one that has a session for the user.
 *
 * sessiondb.installation holds the steps of the path; here those that lead to a row are removed.
 */
DECLARE
    v_schema name := (SELECT i.platform_schema FROM sessiondb.installation AS i);
    v_steps jsonb := CASE p_table
        WHEN 'submissions' THEN (SELECT i.course_joins FROM sessiondb.installation AS i)
        ELSE jsonb_build_array(jsonb_build_object(
            'from', format('%I.enrollments', v_schema), 'columns', ARRAY['course_id'],
            'to', format('%I.courses', v_schema), 'keys', ARRAY['id'], 'operators', ARRAY['OPERATOR(pg_catalog.=)']))
    END;
    v_step record;
    v_row jsonb;
    v_next jsonb;
    v_where text := format('id OPERATOR(pg_catalog.=) %L', p_row_id);
    v_key text;
    v_column text;
BEGIN
    IF p_row_id IS NULL THEN
        RETURN;
    END IF;
    FOR v_step IN SELECT s.*
        FROM jsonb_to_recordset(v_steps) AS s ("from" text, columns text[], "to" text, "only" text, keys text[], operators text[], casts text[]) LOOP
        v_row := sessiondb.ask(format('SELECT pg_catalog.jsonb_build_object(%s) FROM %s WHERE %s',
            (SELECT string_agg(format('%1$L, %1$I', c.name), ', ') FROM unnest(v_step.columns) AS c (name)), v_step."from", v_where));
        EXIT WHEN v_row IS NULL;
        v_key := (SELECT string_agg(format('%I %s %L%s', c.key, c.operator, v_row ->> c.name, c.right_cast), ' AND ')
                    FROM unnest(v_step.columns, v_step.keys, v_step.operators, v_step.casts) AS c (name, key, operator, right_cast));
        v_next := sessiondb.ask(format('SELECT pg_catalog.to_jsonb(true) FROM %s%s AS r WHERE %s', v_step."only", v_step."to", v_key));
        EXIT WHEN v_next IS NULL;
        v_where := v_key;
        v_steps := v_steps - 0;
    END LOOP;
    IF v_row IS NULL OR v_next IS NOT NULL THEN
        RETURN;
    END IF;
    v_column := (SELECT c.name FROM unnest(v_step.columns) WITH ORDINALITY AS c (name, place)
                 ORDER BY (v_row ->> c.name) IS NULL DESC, c.place LIMIT 1);
    detail := format('The row leads to no course: %I of table %s is %s in the row with %s.', v_column, v_step."from",
        coalesce((v_row ->> v_column) || ', of which there is no row in table ' || v_step."to" || ',', 'NULL'),
            regexp_replace(v_where, E'OPERATOR\\([^()]*\\)', '=', 'g'));

    v_next := sessiondb.ask(sessiondb.query_of_course(v_steps, p_user_id));
    IF v_next IS NULL THEN
        fix := format('Table %s has no row that it could lead to: create one first.', v_step."to");
        RETURN;
    END IF;
    detail := format('%s The fix uses course %s%s; check that this is the right one.', detail,
                     sessiondb.name_of('course', (v_next ->> 'course_id')::uuid),
        CASE WHEN (v_next -> 'is_enrolled')::boolean THEN ', in which the user is enrolled' END);
    fix := format('UPDATE %s SET %s WHERE %s', v_step."from",
        (SELECT string_agg(format('%I = %L', c.name, v_next -> 'row' ->> c.key), ', ') FROM unnest(v_step.columns, v_step.keys) AS c (name, key)),
        v_where);
END
$function$
