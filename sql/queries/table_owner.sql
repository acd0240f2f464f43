-- The owner of table enrollments in schema $1 (an oid), which is trusted for schema sessiondb; no row if our triggers are on tables of
-- other roles: a role that owns no such table could create one of that name in order to be trusted. Nor for a sequence or type of that
-- name, which no look for tables finds.
SELECT c.relowner
  FROM pg_class AS c
 WHERE c.relnamespace = $1
   AND c.relname = 'enrollments' AND c.relkind IN ('r', 'p')
   AND CASE WHEN EXISTS (SELECT FROM ({linked_tables()}) AS l) THEN c.relowner = ({right_owner($1)})
            ELSE ({is_sole_owner(c.relowner)}) END
