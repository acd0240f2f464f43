CREATE OR REPLACE FUNCTION sessiondb.types_of_others(p_text text, p_owner oid)
RETURNS text
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The types of roles that are not trusted that an SQL text would use, with these roles; NULL if there are none, so that it can be
 * parsed. p_owner owns the platform's table enrollments.
 */
BEGIN
    RETURN (
        SELECT string_agg(format('type %s of role %I', t.name, t.role), ', ' ORDER BY t.name::text)
          FROM (
{named_types(p_text, p_owner)}
               ) AS t);
END
$function$
