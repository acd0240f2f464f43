CREATE OR REPLACE FUNCTION sessiondb.is_restoring(p_table text)
RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * For check_session(): whether this transaction is one of step restore_links, for enrollments or submissions (p_table): it has written to
 * sessiondb.installation, which no other role than the owner can, and there are saved links.
 */
SELECT to_regclass('sessiondb.saved_links_of_' || p_table) IS NOT NULL
   AND EXISTS (SELECT FROM sessiondb.installation AS i WHERE sessiondb.is_of_this_transaction(i.xmin))
$function$
