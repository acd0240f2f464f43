-- The statements that drop the functions, triggers and policies of migration $1; for NULL those that are not in the list
-- {names} of this version; for 'staff' the policies, if no roles of staff are chosen. A replaced function of the platform is
-- restored. Triggers and policies first, each under the lock that its DROP acquires.
SELECT s.statement,
       CASE s.turn WHEN 1 THEN json_build_object(o.parent, 'ACCESS EXCLUSIVE') END AS locks,
       NULL::name AS scans
  FROM sessiondb.objects AS o
 CROSS JOIN LATERAL (
        SELECT CASE o.parent WHEN 'platform' THEN current_setting('sessiondb.schema') ELSE o.parent END AS schema_name
       ) AS n
 CROSS JOIN LATERAL (
        SELECT to_regprocedure(format('%I.%I(%s)', n.schema_name, o.name, o.arguments)) AS routine,
               to_regclass(format('%I.%I', current_setting('sessiondb.schema'), o.parent)) AS relation
       ) AS f
 CROSS JOIN LATERAL (
        SELECT 1 AS turn,
               format('CALL sessiondb.lock_tables(''ACCESS EXCLUSIVE'', ARRAY[%L]::pg_catalog.regclass[])', f.relation) AS statement
         WHERE o.kind = 'trigger' AND EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = f.relation AND t.tgname = o.name)
            OR o.kind = 'policy' AND EXISTS (SELECT FROM pg_policy AS p WHERE p.polrelid = f.relation AND p.polname = o.name)
        UNION ALL
        SELECT 2, format('DROP TRIGGER IF EXISTS %I ON %s', o.name, f.relation)
         WHERE o.kind = 'trigger' AND f.relation IS NOT NULL
        UNION ALL
        SELECT 2, format('DROP POLICY IF EXISTS %I ON %s', o.name, f.relation)
         WHERE o.kind = 'policy' AND f.relation IS NOT NULL
        UNION ALL
        -- those of secure_schema()
        SELECT 2, format('DROP TRIGGER %I ON %s', t.tgname, c.oid::regclass)
          FROM pg_trigger AS t
          JOIN pg_class AS c ON c.oid = t.tgrelid AND c.relnamespace = to_regnamespace('sessiondb')
         WHERE o.kind = 'function' AND t.tgfoid = f.routine
        UNION ALL
        -- what a replaced function names may be gone
        SELECT 2, 'SET LOCAL check_function_bodies TO off'
         WHERE o.kind = 'function' AND o.origin = 'replaced'
        UNION ALL
        SELECT 3, CASE WHEN w.stranger IS NOT NULL
                        THEN format('DO %L', format(
                            'BEGIN RAISE EXCEPTION USING ERRCODE = ''object_not_in_prerequisite_state'', MESSAGE = %L, HINT = %L; END',
                            format('function %s belongs to role %I, which may have created it in the place of ours', f.routine, w.stranger),
                            'Inspect it, then drop it.'))
                       WHEN o.origin = 'replaced' AND starts_with(o.previous_definition, 'CREATE') THEN o.previous_definition
                        -- the owner of one that was set aside may have dropped it
                       WHEN o.origin = 'replaced' AND o.previous_definition IS NOT NULL
                        AND to_regprocedure('sessiondb.replaced_get_user_session_for_course(uuid, uuid)') IS NOT NULL
                        THEN ({put_back_function(n.schema_name)})
                       ELSE format('DROP ROUTINE IF EXISTS %s', f.routine) END
          FROM (SELECT (SELECT pg_get_userbyid(p.proowner)
                          FROM pg_proc AS p
                         WHERE p.oid = f.routine AND p.proowner NOT IN (
{trusted_roles(h.owner)}
                               )) AS stranger
                  FROM (SELECT ({right_owner(s.oid)}) AS owner FROM pg_namespace AS s
                        WHERE s.nspname = current_setting('sessiondb.schema')) AS h) AS w
         WHERE o.kind = 'function' AND f.routine IS NOT NULL
        UNION ALL
        SELECT 4,
               format('DELETE FROM sessiondb.objects AS o WHERE (o.kind, o.parent, o.name) OPERATOR(pg_catalog.=) (%L, %L, %L)',
                      o.kind, o.parent, o.name)
       ) AS s
 WHERE o.kind IN ('function', 'trigger', 'policy')
   AND NOT (o.kind = 'trigger' AND o.origin = 'replaced')
   AND CASE
           WHEN $1 IS NULL THEN (o.kind, o.parent, o.name) NOT IN ({names})
           WHEN $1 <> 'staff' THEN o.migration = $1
           ELSE o.kind = 'policy' AND (SELECT s.staff FROM ({staff()}) AS s) IS NULL
       END
 ORDER BY o.kind DESC, o.parent, o.name, s.turn
