-- The owner of table enrollments in schema $1 (an oid), which is trusted for schema sessiondb; no row if our triggers are on tables of
-- other roles: a role that owns no such table could create one of that name in order to be trusted, also with the triggers, so that
-- of several only one whose rights the current role has, or that is trusted anyway. Of a superuser the former is always true. Nor for
-- a sequence or type of that name, which no look for tables finds.
SELECT c.relowner
  FROM pg_class AS c
 WHERE c.relnamespace = $1
   AND c.relname = 'enrollments' AND c.relkind IN ('r', 'p')
   AND (NOT EXISTS (SELECT FROM ({linked_tables()}) AS l) OR c.relowner = ({right_owner($1)}))
   AND (({is_sole_owner(c.relowner)})
     OR EXISTS (SELECT FROM ({linked_tables()}) AS l) AND (
        -- before PostgreSQL 15 any role can give another one its rights
        current_setting('server_version_num')::integer >= 150000
        AND pg_has_role(c.relowner, 'USAGE') AND NOT (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user)
     OR c.relowner IN (
{trusted_roles(NULL::oid)}
        )))
