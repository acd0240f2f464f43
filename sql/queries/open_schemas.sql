-- The schemas in which a role that is not trusted could have created objects; $1 owns the platform's table enrollments.
--
-- A role that was allowed to create objects in a schema of a trusted role is trusted there, unless it is the platform's
-- schema, or every role may create objects in it: on hosted backends auth.uid() belongs to a role that is no superuser, in
-- a schema of one that is.
SELECT n.oid
  FROM pg_namespace AS n
 WHERE n.nspowner NOT IN (
{trusted_roles($1)}
       )
    OR n.nspname = current_setting('sessiondb.schema')
    OR has_schema_privilege('public', n.oid, 'CREATE')
