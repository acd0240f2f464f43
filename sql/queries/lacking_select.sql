-- The GRANT without which the current role reads nothing in the tables of the platform with the names $1; NULL if none is lacking.
SELECT format('GRANT SELECT ON %s TO %I', string_agg(format('%I.%I', n.nspname, c.relname), ', ' ORDER BY c.relname), current_user) AS statement
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = ANY ($1::text[])
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND NOT has_any_column_privilege(c.oid, 'SELECT')
HAVING count(*) > 0
