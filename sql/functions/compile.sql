CREATE OR REPLACE PROCEDURE sessiondb.compile(p_source text)
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path FROM CURRENT
AS $procedure$
/*
 * Runs the CREATE FUNCTION statement p_source after putting, for each course_of(ROW) in it, the
 * expression that leads from that row of submissions to its course in this platform. So the functions
 * read the same for every platform, and yet hold static SQL: nothing is looked up per row.
 *
 * Functions are named with pg_catalog, here and wherever the platform's schema is on the path: one that
 * somebody made there with more exact argument types would otherwise be taken.
 */
DECLARE
    v_pieces text[] := (SELECT i.course_pieces FROM sessiondb.installation AS i);
    v_row text;
BEGIN
    IF v_pieces IS NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = 'the way from a submission to its course is not chosen yet',
            HINT = 'Run sessiondb apply.';
    END IF;
    FOR v_row IN
        SELECT DISTINCT m.groups[1]
          FROM pg_catalog.regexp_matches(p_source, 'course_of\((\w+)\)', 'g') AS m (groups)
    LOOP
        p_source := pg_catalog.replace(p_source, pg_catalog.format('course_of(%s)', v_row), pg_catalog.array_to_string(v_pieces, v_row));
    END LOOP;
    EXECUTE p_source;
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.compile(text) IS
    'Creates a function from its source, with course_of(ROW) replaced by this platform''s way to the course';

REVOKE ALL ON PROCEDURE sessiondb.compile(text) FROM PUBLIC;
