-- Those of our functions, given by the parents, names and argument types in three arrays, that exist and are of a role that is trusted
-- if $1 owns the platform's table enrollments. That of the platform, whose schema may have another name now, is not called.
SELECT f.parent, f.name
  FROM ROWS FROM (unnest(%(parent)s::text[]), unnest(%(name)s::text[]), unnest(%(args)s::text[])) AS f (parent, name, arguments)
  JOIN pg_proc AS p ON p.proname = f.name AND oidvectortypes(p.proargtypes) = f.arguments
  JOIN pg_namespace AS n ON n.oid = p.pronamespace AND (n.nspname = f.parent OR f.parent = 'platform')
 WHERE f.parent = 'platform'
    OR p.proowner IN (
{trusted_roles($1)}
       )
