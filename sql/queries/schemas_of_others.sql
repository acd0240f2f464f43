-- The schemas in search_path $1, that of the functions that the platform calls, that belong to a role that is not trusted.
-- The owner of the platform's own schema could drop the tables in any case. $2 owns the platform's table enrollments.
SELECT format('schema %I', n.nspname) AS object,
       format('Schema %I of role %I is in the search_path of the trigger functions: in the platform''s own policies and triggers, '
              'which these run with the rights of their owner, an unqualified name may mean an object of that role.',
              n.nspname, pg_get_userbyid(n.nspowner)) AS detail,
       format('Run apply under a search_path without it, in the connection string for instance: options=-csearch_path=%I',
              current_setting('sessiondb.schema')) AS fix
  FROM pg_namespace AS n
 WHERE strpos($1, format('"%s"', replace(n.nspname, '"', '""'))) > 0
   AND n.nspname <> current_setting('sessiondb.schema')
   AND n.nspowner NOT IN (
{trusted_roles($2)}
       )
