CREATE OR REPLACE FUNCTION sessiondb.ask(p_query text)
RETURNS jsonb
LANGUAGE plpgsql
AS $function$
/*
 * The single value that a query of the platform's tables returns. As in run_on_platform(), the query runs under the
 * initial search_path of the connection; to be called under a pinned path.
 *
 * SECURITY INVOKER, like its callers: they see only what the calling role may read.
 */
DECLARE
    v_answer pg_catalog.jsonb;
BEGIN
    PERFORM pg_catalog.set_config('search_path', sessiondb.platform_path(), true);
    EXECUTE p_query INTO v_answer;
    SET LOCAL search_path TO pg_catalog, pg_temp;
    RETURN v_answer;
END
$function$
