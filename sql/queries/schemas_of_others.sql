-- The schemas in search_path $1, of $3, that belong to a role that is not trusted. The owner of the platform's own schema
-- could drop the tables in any case. $2 owns the platform's table enrollments; what $4 asks for gives another search_path.
SELECT format('schema %I', n.nspname) AS object,
       format('Schema %I of role %I is in the search_path of %s: an unqualified name in the platform''s own policies, triggers '
              'and functions, which run under it, may mean an object of that role.',
              n.nspname, pg_get_userbyid(n.nspowner), $3) AS detail,
       format('%s under a search_path without it, for instance with PGOPTIONS=-csearch_path=%I in the environment',
              $4, current_setting('sessiondb.schema')) AS fix
  FROM pg_namespace AS n
 WHERE n.nspname IN (
{schemas_in_path($1)}
       )
   AND n.nspname <> current_setting('sessiondb.schema')
   AND n.nspowner NOT IN (
{trusted_roles($2)}
       )
