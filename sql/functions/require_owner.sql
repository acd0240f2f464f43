CREATE OR REPLACE FUNCTION sessiondb.require_owner()
RETURNS trigger
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Before a statement that writes to a table of schema sessiondb, and before each row, as a subscription fires no triggers of
 * statements: refuses a role that has not the rights of the owner, whatever
 * it was granted, also by membership in pg_write_all_data. A rollback runs what the tables hold, as the role that rolls back.
 */
BEGIN
    -- a snapshot that is older than the table shows no owner, who has all rights with the one to grant them
    IF NOT coalesce(pg_has_role((SELECT c.relowner FROM pg_class AS c WHERE c.oid = TG_RELID), 'USAGE'),
                    has_table_privilege(TG_RELID, 'TRIGGER WITH GRANT OPTION')) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'insufficient_privilege',
            MESSAGE = format('only the owner of table %s may write to it', TG_RELID::regclass),
            HINT = 'The commands of sessiondb write what it holds.';
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
$function$
