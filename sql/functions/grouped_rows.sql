CREATE OR REPLACE FUNCTION sessiondb.grouped_rows(p_query text)
RETURNS TABLE (user_id uuid, course_id uuid, session_id uuid, rows bigint)
LANGUAGE plpgsql
AS $function$
/*
 * What a query of the rows of students returns, for the checks of the data where Citus distributes these: it plans what
 * reads the result as if there were no distributed table in it. SECURITY INVOKER, as ask().
 */
BEGIN
    RETURN QUERY EXECUTE p_query;
END
$function$
