CREATE OR REPLACE FUNCTION sessiondb.is_of_this_transaction(p_xmin xid)
RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Whether this transaction or a subtransaction of it wrote the row version with this xmin, which the caller sees: of all that are in
 * progress, it sees only its own. pg_xact_status() takes the 64 bits of which xmin is the lower half, and those of the current
 * transaction are less than 2^31 away (PostgreSQL manual, 74.1). Those below 3 mean no transaction.
 */
SELECT CASE WHEN x.low >= 3 THEN
           pg_xact_status((x.now + ((x.low - x.now + 2147483648) & 4294967295) - 2147483648)::text::xid8) = 'in progress'
       ELSE false END
  FROM (SELECT p_xmin::text::bigint AS low, pg_current_xact_id()::text::bigint AS now) AS x
$function$
