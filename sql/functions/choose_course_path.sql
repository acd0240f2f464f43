CREATE OR REPLACE PROCEDURE sessiondb.choose_course_path()
LANGUAGE plpgsql
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $procedure$
/*
 * Keeps the way from a submission to its course in sessiondb.installation: the one that the setting
 * sessiondb.course_path names, else the one shortest path along the foreign keys. Several equally
 * short ones, or none, are refused: nobody but the platform's owner knows which is meant.
 */
DECLARE
    v_candidates text[];
BEGIN
    WITH shortest AS (
        SELECT p.path, p.pieces, p.joins, rank() OVER (ORDER BY p.hops) AS place
          FROM sessiondb.course_paths() AS p
    ),
    choice AS (
        UPDATE sessiondb.installation AS i
           SET course_path = s.path, course_pieces = s.pieces, course_joins = s.joins
          FROM shortest AS s
         WHERE s.place = 1
           AND (SELECT count(*) FROM shortest AS o WHERE o.place = 1) = 1
    )
    SELECT array_agg(s.path ORDER BY s.path) INTO v_candidates FROM shortest AS s WHERE s.place = 1;

    IF v_candidates IS NULL OR cardinality(v_candidates) > 1 THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = CASE
                WHEN v_candidates IS NULL THEN 'no way was found from submissions to courses'
                ELSE 'several ways lead from submissions to courses: ' || array_to_string(v_candidates, ', ')
            END,
            HINT = 'Name one: sessiondb apply --course-path exercise_id.course_id, or '
                   'SET sessiondb.course_path = ''exercise_id.course_id''.';
    END IF;
END
$procedure$;

COMMENT ON PROCEDURE sessiondb.choose_course_path() IS
    'Keeps the way from a submission to its course that the functions are compiled with';

REVOKE ALL ON PROCEDURE sessiondb.choose_course_path() FROM PUBLIC;
