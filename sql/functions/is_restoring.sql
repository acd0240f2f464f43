CREATE OR REPLACE FUNCTION sessiondb.is_restoring(p_table text)
RETURNS boolean
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * For check_session(): whether this transaction is one of step restore_links, for enrollments or submissions (p_table). Each of them locks
 * the table of saved links in a mode in which no other statement of ours does, and which only who may write to that table can take.
 */
SELECT EXISTS (
    SELECT FROM pg_locks AS l
     WHERE l.pid = pg_backend_pid() AND l.mode = 'RowShareLock' AND l.locktype = 'relation'
       AND l.relation = to_regclass('sessiondb.saved_links_of_' || p_table))
$function$
