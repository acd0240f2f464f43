CREATE OR REPLACE PROCEDURE sessiondb.require_types()
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET jit = off
AS $procedure$
/*
 * Raises an error if the type of a column that is read, or its schema, belongs to a role that is not trusted, as preflight column_types.
 */
DECLARE
    v_found text;
BEGIN
    PERFORM set_config('sessiondb.schema', i.platform_schema, true), set_config('sessiondb.course_path', i.course_path, true)
       FROM sessiondb.installation AS i;
    v_found := (
        SELECT min(f.detail)
          FROM (
{types_read()}
               ) AS f);
    IF v_found IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = regexp_replace(rtrim(v_found, '.'), E'[{invisible}]', '?', 'g'),
            HINT = 'See: sessiondb check column_types';
    END IF;
END
$procedure$
