CREATE OR REPLACE FUNCTION sessiondb.ask(p_query text)
RETURNS jsonb
LANGUAGE plpgsql
AS $function$
/*
 * The one value that a query of the platform's tables returns. Like run_on_platform(): the query is run under the
 * search_path that the connection began with, and to be called where the path is pinned.
 *
 * SECURITY INVOKER, as all that asks through it: callers see what they may read themselves.
 */
DECLARE
    v_answer pg_catalog.jsonb;
BEGIN
    SET LOCAL search_path TO DEFAULT;
    EXECUTE p_query INTO v_answer;
    SET LOCAL search_path TO pg_catalog, pg_temp;
    RETURN v_answer;
END
$function$
