CREATE OR REPLACE FUNCTION sessiondb.compile(p_source text)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The source of a function or trigger of ours as it is created on this platform: the qualifier "platform" becomes the
 * platform's schema, SET search_path FROM the CURRENT one names that schema, and course_of(...) the expression that
 * leads from that row of submissions to its course. So the sources read the same for every platform, and yet hold
 * static SQL: nothing is looked up per row. (This text is compiled, too, so that it does not spell out what it
 * replaces.)
 */
DECLARE
    v_schema text := (
        SELECT CASE i.platform_schema WHEN 'public' THEN 'public' ELSE format('"%s"', replace(i.platform_schema, '"', '""')) END
          FROM sessiondb.installation AS i);
    v_pieces text[] := (SELECT i.course_pieces FROM sessiondb.installation AS i);
    v_row text;
BEGIN
    p_source := btrim(p_source, E'\n');
    FOR v_row IN SELECT DISTINCT m.groups[1] FROM regexp_matches(p_source, 'course_of\((\w+)\)', 'g') AS m (groups) LOOP
        IF v_pieces IS NULL THEN
            RAISE EXCEPTION USING
                ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = 'the way from a submission to its course is not chosen yet',
                HINT = 'Run sessiondb apply.';
        END IF;
        p_source := replace(p_source, format('course_of(%s)', v_row), array_to_string(v_pieces, v_row));
    END LOOP;
    p_source := replace(p_source, 'SET search_path FROM ' || 'CURRENT', format('SET search_path = %s, pg_temp', v_schema));
    RETURN array_to_string(regexp_split_to_array(p_source, '\mplatform\.(?=[[:alpha:]_"])'), v_schema || '.');
END
$function$
