-- The schemas in search_path $1, of $3, that belong to a role that is not trusted. The owner of the platform's own schema
-- could drop the tables in any case. $2 owns the platform's table enrollments; what $4 asks for gives another search_path.
WITH named AS (
    SELECT s.place, n.nspname, n.nspowner,
           n.nspname = current_setting('sessiondb.schema') OR n.nspowner IN (
{trusted_roles($2)}
           ) AS is_trusted
      FROM (
{schemas_in_path($1)}
           ) AS s
      JOIN pg_namespace AS n ON n.nspname = s.name
),
trusted_path AS (
    SELECT coalesce(string_agg(quote_ident(n.nspname), ',' ORDER BY n.place), quote_ident(current_setting('sessiondb.schema'))) AS names
      FROM named AS n
     WHERE n.is_trusted AND n.nspname <> 'pg_catalog'
),
-- in options, a blank ends a setting and a backslash keeps the character after it
option AS (
    SELECT '-csearch_path=' || regexp_replace(t.names, '([\\[:space:]])', '\\\1', 'g') AS value FROM trusted_path AS t
)
SELECT format('schema %I', n.nspname) AS object,
       format('Schema %I of role %I is in the search_path of %s: an unqualified name in the platform''s own policies, triggers '
              'and functions, which run under it, may mean an object of that role.',
              n.nspname, pg_get_userbyid(n.nspowner), $3) AS detail,
       format('%s under a search_path without it, for instance with PGOPTIONS=%s in the environment', $4, ({shell_word(o.value)})) AS fix
  FROM named AS n
 CROSS JOIN option AS o
 WHERE NOT n.is_trusted
