CREATE OR REPLACE FUNCTION sessiondb.require_name(p_relation regclass, p_name text)
RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Raises an error if a table or partition that is locked has no longer the name, with its schema, by which statements write to it.
 */
BEGIN
    IF to_regclass(p_name)::oid IS DISTINCT FROM p_relation::oid THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_table', MESSAGE = format('table %s was renamed during a batch', p_name);
    END IF;
END
$function$
