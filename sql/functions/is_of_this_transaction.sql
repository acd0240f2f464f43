CREATE OR REPLACE FUNCTION sessiondb.is_of_this_transaction(p_xmin xid)
RETURNS boolean
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Whether this transaction or a subtransaction of it wrote the row version with this xmin, which the caller sees: of all that are in
 * progress, it sees only its own. pg_xact_status() takes the 64 bits of which xmin is the lower half, and those of the current
 * transaction are less than 2^31 away (PostgreSQL manual, 74.1). Those below 3 mean no transaction.
 *
 * A row that was frozen keeps its xmin, which may be of a transaction that is older, and look like one that is to come.
 */
DECLARE
    v_now bigint := pg_current_xact_id()::text::bigint;
    v_xid bigint := v_now + ((p_xmin::text::bigint - v_now + 2147483648) & 4294967295) - 2147483648;
BEGIN
    IF p_xmin::text::bigint < 3 OR v_xid < 3 THEN
        RETURN false;
    END IF;
    IF v_xid <= v_now THEN
        RETURN pg_xact_status(v_xid::text::xid8) = 'in progress';
    END IF;
    BEGIN
        RETURN pg_xact_status(v_xid::text::xid8) = 'in progress';
    EXCEPTION WHEN invalid_parameter_value THEN
        RETURN false;  -- no transaction has had it yet
    END;
END
$function$
