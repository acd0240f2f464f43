-- The statements that move a function of the platform with the name and arguments of get_user_session_for_course() out of
-- the way, if it cannot be replaced (other parameter names, defaults, another result) or must not be (another owner could
-- change ours; an SQL-standard body would be parsed again when it is restored). Objects that depend on it keep working,
-- and a rollback restores it.
SELECT s.statement, NULL::json AS locks, NULL::name AS scans
  FROM pg_proc AS p
  JOIN pg_namespace AS n ON n.oid = p.pronamespace
  JOIN pg_class AS e ON e.relnamespace = n.oid AND e.relname = 'enrollments'
 CROSS JOIN LATERAL (
        SELECT 1 AS turn,
               format('ALTER ROUTINE %I.get_user_session_for_course(pg_catalog.uuid, pg_catalog.uuid) SET SCHEMA sessiondb', n.nspname) AS statement
        UNION ALL
        SELECT 2,
               'ALTER ROUTINE sessiondb.get_user_session_for_course(pg_catalog.uuid, pg_catalog.uuid) RENAME TO replaced_get_user_session_for_course'
        UNION ALL
        SELECT 3,
               format('UPDATE sessiondb.objects SET previous_definition = %L WHERE kind OPERATOR(pg_catalog.=) ''function'' '
                      'AND name OPERATOR(pg_catalog.=) ''get_user_session_for_course''',
                         ({put_back_function(n.nspname)}))
       ) AS s
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND p.proname = 'get_user_session_for_course'
   AND oidvectortypes(p.proargtypes) = 'uuid, uuid'
   AND coalesce(obj_description(p.oid, 'pg_proc') NOT LIKE '%(sessiondb)', true)
   AND (p.proretset OR p.prorettype <> 'uuid'::regtype OR p.pronargdefaults > 0 OR p.prokind <> 'f' OR p.prosqlbody IS NOT NULL
        OR p.proowner <> (SELECT r.oid FROM pg_roles AS r WHERE r.rolname = current_user)
        OR p.proargnames IS DISTINCT FROM '{p_user_id,p_course_id}')
   -- one that another role created after preflight stays, and the next statement fails
   AND (NOT (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user) OR p.proowner IN (
{trusted_roles(e.relowner)}
       ))
 ORDER BY s.turn
