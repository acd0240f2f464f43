CREATE OR REPLACE FUNCTION sessiondb.is_ours(p_kind text, p_parent name, p_name name)
RETURNS boolean
LANGUAGE sql
STABLE
SECURITY INVOKER
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Whether we made the object, so that a rollback may take it away.
 */
SELECT EXISTS (
    SELECT FROM sessiondb.objects AS o
     WHERE o.kind = p_kind AND o.parent = p_parent AND o.name = p_name AND o.origin <> 'found'
)
$function$;

COMMENT ON FUNCTION sessiondb.is_ours(text, name, name) IS
    'Whether sessiondb made the object, so that a rollback may take it away';

REVOKE ALL ON FUNCTION sessiondb.is_ours(text, name, name) FROM PUBLIC;
