CREATE OR REPLACE FUNCTION sessiondb.explain_user(p_user_id uuid, OUT is_missing boolean, OUT detail text)
LANGUAGE sql
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * Shows whether a user without any rows exists at all: the id may be mistyped.
 */
SELECT coalesce(NOT f.found, false),
       CASE
           WHEN f.found THEN format('User %s has no membership, no enrolment and no submission.', sessiondb.name_of('user', p_user_id))
           WHEN NOT f.found THEN format('There is no user %s in table %s.', p_user_id, t.users)
           ELSE format('User %s has no membership, no enrolment and no submission; the id may be wrong.', p_user_id)
       END
  FROM sessiondb.table_of_users() AS t
 CROSS JOIN LATERAL (
        SELECT CASE WHEN t.users IS NOT NULL THEN sessiondb.ask(format(
                   'SELECT pg_catalog.to_jsonb(EXISTS (SELECT FROM %s AS u WHERE u.%I OPERATOR(pg_catalog.=) %L))', t.users, t.key, p_user_id))::boolean END AS found
       ) AS f
$function$
