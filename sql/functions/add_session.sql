CREATE OR REPLACE FUNCTION sessiondb.add_session(
    p_org_slug text, p_course_id uuid, p_created_by uuid, p_title text DEFAULT NULL, p_status text DEFAULT 'active'
)
RETURNS TABLE (id uuid, org_id uuid, course_id uuid, title text, status text)
LANGUAGE plpgsql
AS $function$
/*
 * Creates a session of the course for the organisation. Without a title it is titled after the course, with a number if
 * the organisation has a session of that title, as far as the column holds it. Call count_linkable() in another transaction: until this one ends,
 * students and a DELETE of the organisation wait for it.
 */
#variable_conflict use_column
DECLARE
    v_org_id pg_catalog.uuid := sessiondb.org_of_slug(p_org_slug);
    v_status platform.sessions.status%TYPE;
    v_course_title pg_catalog.text;
    v_suffix pg_catalog.text;
    v_most pg_catalog.int4;
    v_taken pg_catalog.text[];
BEGIN
    -- not c.title: without such a column, that would call a function title(courses) of another role
    SELECT coalesce(({optional(c, title)}), c.id::pg_catalog.text) INTO v_course_title FROM platform.courses AS c
        WHERE c.id OPERATOR(pg_catalog.=) p_course_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING
            ERRCODE = 'no_data_found',
            MESSAGE = pg_catalog.format('there is no course with the id %s', p_course_id),
            HINT = 'List them with: sessiondb course list';
    END IF;
    IF p_title OPERATOR(pg_catalog.!~) E'\\S' THEN
        RAISE EXCEPTION USING
            ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'the title of a session cannot be empty',
            HINT = 'Leave it out to have the session named after its course.';
    END IF;

    IF p_title IS NULL THEN
        -- first into an array: Citus plans no join with the numbers
        v_taken := ARRAY(SELECT ({optional(s, title)}) FROM platform.sessions AS s WHERE s.org_id OPERATOR(pg_catalog.=) v_org_id);
        -- the type modifier of varchar(50) is 54
        SELECT coalesce(pg_catalog.max(a.atttypmod OPERATOR(pg_catalog.-) 4), 10000) INTO v_most
          FROM sessiondb.installation AS i
          JOIN pg_catalog.pg_attribute AS a
            ON a.attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(pg_catalog.format('%I.sessions', i.platform_schema))
         WHERE a.attname OPERATOR(pg_catalog.=) 'title' AND a.atttypmod OPERATOR(pg_catalog.>) 0;
        FOR v_number IN 1 .. 1000 LOOP
            v_suffix := CASE WHEN v_number OPERATOR(pg_catalog.=) 1 THEN '' ELSE pg_catalog.format(' (%s)', v_number) END;
            p_title := pg_catalog.left('Session - ' OPERATOR(pg_catalog.||) v_course_title, v_most OPERATOR(pg_catalog.-) pg_catalog.length(v_suffix))
                OPERATOR(pg_catalog.||) v_suffix;
            EXIT WHEN NOT coalesce(p_title OPERATOR(pg_catalog.=) ANY (v_taken), false);
        END LOOP;
    END IF;

    v_status := sessiondb.session_status(
        p_status, EXISTS (SELECT FROM platform.sessions AS s WHERE s.status::pg_catalog.text OPERATOR(pg_catalog.=) p_status));
    INSERT INTO platform.sessions AS s (org_id, course_id, title, status, created_by)
    VALUES (v_org_id, p_course_id, p_title, v_status, p_created_by)
    RETURNING s.id, s.org_id, s.course_id, title::pg_catalog.text, s.status::pg_catalog.text
         INTO id, org_id, course_id, title, status;
    RETURN NEXT;
END
$function$
