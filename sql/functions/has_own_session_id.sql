CREATE OR REPLACE FUNCTION sessiondb.has_own_session_id(p_table name)
RETURNS boolean
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Whether the table has a column session_id that we made, and that nobody has dropped since.
 */
SELECT sessiondb.is_ours('column', p_table, 'session_id')
   AND EXISTS (
        SELECT FROM sessiondb.installation AS i
          JOIN pg_attribute AS a ON a.attrelid = to_regclass(format('%I.%I', i.platform_schema, p_table))
         WHERE a.attname = 'session_id' AND NOT a.attisdropped)
$function$;

COMMENT ON FUNCTION sessiondb.has_own_session_id(name) IS
    'Whether a table has the column session_id, made by sessiondb';

REVOKE ALL ON FUNCTION sessiondb.has_own_session_id(name) FROM PUBLIC;
