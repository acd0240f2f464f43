CREATE OR REPLACE FUNCTION sessiondb.hidden_tables()
RETURNS TABLE (name text, full_name text, shows_all boolean)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * The tables that the rules read and of which row level security may hide rows from the calling role. For it, the rules
 * would choose among a part of the sessions, and a row that it does not see may exist. For the triggers' owner, for whom row level
 * security may be forced, not those whose policies are true for it: the triggers see the same for each client.
 *
 * shows_all  the policies are true for it, so that it reads every row, but need not be able to lock or update it
 */
SELECT h.name, h.full_name, h.shows_all
  FROM (
{hidden_tables()}
       ) AS h
 WHERE NOT (h.shows_all AND ({owns_triggers()}))
$function$
