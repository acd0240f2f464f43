CREATE OR REPLACE FUNCTION sessiondb.compile(p_source text)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The source of a function or trigger as it is created on this platform: the qualifier "platform" becomes the platform's
 * schema, course_of(...) the expression that leads from a row of submissions to its course, and SET search_path FROM the
 * CURRENT one the initial path of apply's connection, with pg_temp last. So the sources are the same for every platform
 * but contain static SQL: nothing is looked up per row. (This text is compiled as well, so it avoids the exact words.)
 *
 * A name that is a key of the pieces in installation for the policies of staff becomes its value, in two passes: a value, or
 * a name of the platform, may itself contain such a name.
 *
 * A comment of one line that begins with the word citus and a colon is a line of the text where Citus distributes the
 * platform's tables, and no line at all elsewhere, so that other platforms pay nothing for it.
 *
 * The tags of dollar quoting are made longer if a name of the platform contains one of them.
 */
DECLARE
    v_at record;
    v_row text;
    v_names text;
    v_tag text;
    v_staff record;
    v_pieces jsonb;
    v_mark text;
BEGIN
    SELECT i.*, CASE i.platform_schema WHEN 'public' THEN 'public' ELSE format('"%s"', replace(i.platform_schema, '"', '""')) END AS schema_name
      INTO v_at FROM sessiondb.installation AS i;
    p_source := btrim(p_source, E'\n');
    p_source := CASE current_setting('sessiondb.citus', true)
        WHEN 'distributed' THEN regexp_replace(p_source, '^( *)-- citus: ', E'\\1', 'ng')
        ELSE regexp_replace(p_source, E'^ *-- citus: .*\\n', '', 'ng')
    END;
    v_pieces := coalesce(to_jsonb(v_at) -> 'staff' -> 'pieces', jsonb_build_object(
        'staff_' || 'user', 'NULL::pg_catalog.uuid', 'staff_' || 'roles', 'NULL::pg_catalog.text[]'));
    v_mark := md5(to_jsonb(v_at)::text);
    -- before a name of the platform or of a role is put in, which may look like that
    p_source := replace(p_source, 'SET search_path FROM ' || 'CURRENT', 'SET search_path = path_' || v_mark);
    FOR v_staff IN SELECT s.name FROM jsonb_each_text(v_pieces) AS s (name, text) WHERE s.text IS NOT NULL LOOP
        p_source := array_to_string(regexp_split_to_array(p_source, format(E'\\m%s\\M', v_staff.name)), v_staff.name || v_mark);
    END LOOP;
    v_names := concat(v_at.schema_name, v_at.search_path, array_to_string(v_at.course_pieces, ' '));
    FOREACH v_tag IN ARRAY ARRAY['function', 'procedure'] LOOP
        IF strpos(v_names, format('$%s$', v_tag)) > 0 THEN
            p_source := replace(p_source, format('$%s$', v_tag), format('$%s_%s$', v_tag, md5(v_names)));
        END IF;
    END LOOP;
    p_source := array_to_string(regexp_split_to_array(p_source, E'\\mplatform\\.(?=[[:alpha:]_"])'), v_at.schema_name || '.');
    FOR v_row IN SELECT DISTINCT m.groups[1] FROM regexp_matches(p_source, E'course_of\\((\\w+)\\)', 'g') AS m (groups) LOOP
        IF v_at.course_pieces IS NULL THEN
            RAISE EXCEPTION USING
                ERRCODE = 'object_not_in_prerequisite_state',
                MESSAGE = 'the way from a submission to its course is not chosen yet',
                HINT = 'Run sessiondb apply.';
        END IF;
        p_source := replace(p_source, format('course_of(%s)', v_row), array_to_string(v_at.course_pieces, v_row));
    END LOOP;
    FOR v_staff IN SELECT s.name, s.text FROM jsonb_each_text(v_pieces) AS s (name, text) WHERE s.text IS NOT NULL LOOP
        p_source := replace(p_source, v_staff.name || v_mark, v_staff.text);
    END LOOP;
    RETURN replace(p_source, 'path_' || v_mark, v_at.search_path);
END
$function$
