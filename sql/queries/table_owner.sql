-- The owner of table enrollments in schema $1 (an oid), which is trusted for schema sessiondb; no row if our triggers are on tables of
-- other roles: a role that owns no such table could create one of that name in order to be trusted, also with the triggers, so that
-- of several only one that is trusted anyway: not one whose rights the current role has, because a role that may grant it can give
-- it these. Nor for a sequence or type of that name, which no look for tables finds.
SELECT c.relowner
  FROM pg_class AS c
 WHERE c.relnamespace = $1
   AND c.relname = 'enrollments' AND c.relkind IN ('r', 'p')
   AND (NOT EXISTS (SELECT FROM ({linked_tables()}) AS l) OR c.relowner = ({right_owner($1)}))
   AND (({is_sole_owner(c.relowner)})
     OR c.relowner IN (
{trusted_roles(NULL::oid)}
        ) AND EXISTS (SELECT FROM ({linked_tables()}) AS l))
