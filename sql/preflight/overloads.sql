-- No other function can be called as get_user_session_for_course(uuid, uuid): calls would be ambiguous, and fail. One with these
-- arguments is replaced, by a function that reads with the rights of the caller.
SELECT 'overloads' AS "check", CASE WHEN t.is_trusted THEN 'error' ELSE 'warning' END AS level, format('function %s', p.oid::regprocedure) AS object,
       format('Function %s of role %I can be called with two uuids, too, so that calls of %I.get_user_session_for_course(uuid, uuid) would fail.',
              p.oid::regprocedure, pg_get_userbyid(p.proowner), n.nspname) AS detail,
       format('ALTER ROUTINE %s RENAME TO get_user_session', p.oid::regprocedure) AS fix
  FROM pg_namespace AS n
  JOIN pg_proc AS p ON p.pronamespace = n.oid AND p.proname = 'get_user_session_for_course' AND p.prokind = 'f'
  LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'enrollments'
 CROSS JOIN LATERAL (
        SELECT p.proowner IN (
{trusted_roles(c.relowner)}
               ) AS is_trusted
       ) AS t
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND p.pronargs > 2 AND p.pronargs - p.pronargdefaults <= 2
   AND (p.proargtypes[0], p.proargtypes[1]) = ('uuid'::regtype, 'uuid'::regtype)
UNION ALL
SELECT 'overloads', 'warning', format('function %s', p.oid::regprocedure),
       format('Function %s acts with the rights of its owner, and is replaced by one that acts with those of its caller: a role '
              'that may not read org_members and sessions can no longer call it.', p.oid::regprocedure),
       'Grant these roles SELECT on the two tables, or let them call a SECURITY DEFINER function of yours that calls it.'
  FROM pg_namespace AS n
  JOIN pg_proc AS p ON p.pronamespace = n.oid AND p.proname = 'get_user_session_for_course'
      AND oidvectortypes(p.proargtypes) = 'uuid, uuid' AND p.prosecdef
 WHERE n.nspname = current_setting('sessiondb.schema')
 ORDER BY object
