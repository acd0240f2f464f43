-- BEFORE triggers fire in the order of their names; one of the platform that fires after ours could still change the user
-- or the course by which the row was linked. It is an error if its function writes one of them. A trigger may be on a
-- single partition; ours also fire there. One that is to be adopted (--adopt) is ignored. Ours are recognised by their
-- function, not by a name that any role may choose; installed_objects and the preflight check names find triggers of the
-- platform with exactly our names.
WITH
-- materialized: planned together with the rest, they would take longer to plan than all other checks
writing_ids (table_name, trigger_name, relation, definition) AS MATERIALIZED ({triggers_writing('user_id|course_id')}),
writing_session_id (table_name, trigger_name, relation, definition) AS MATERIALIZED ({triggers_writing('session_id')})
SELECT 'triggers_last' AS "check",
       CASE WHEN w.trigger_name IS NULL THEN 'warning' ELSE 'error' END AS level,
       format('trigger %s on %s', t.tgname, c.relname) AS object,
       format('Trigger %I on %s fires after those of sessiondb: changes that it makes to a row are not seen when the row is linked.',
              t.tgname, c.relname) AS detail,
       format('Give it a name that sorts before those of sessiondb: ALTER TRIGGER %I ON %s RENAME TO %I',
              t.tgname, c.oid::regclass, left('before_' || t.tgname, 63)) AS fix
  FROM pg_namespace AS hn
  JOIN pg_class AS platform ON platform.relnamespace = hn.oid AND platform.relname IN ('enrollments', 'submissions')
 CROSS JOIN LATERAL ({with_partitions(platform.oid)}) AS node
  JOIN pg_class AS c ON c.oid = node.relid
  JOIN pg_trigger AS t ON t.tgrelid = c.oid
  JOIN pg_proc AS f ON f.oid = t.tgfoid AND f.pronamespace IS DISTINCT FROM to_regnamespace('sessiondb')
  LEFT JOIN writing_ids AS w
         ON w.relation = c.oid AND w.trigger_name = t.tgname
 WHERE hn.nspname = current_setting('sessiondb.schema')
   AND NOT t.tgisinternal
   AND t.tgparentid = 0
   -- row-level (1), BEFORE (2), INSERT (4) or UPDATE (16)
   AND t.tgtype & 3 = 3 AND t.tgtype & 20 <> 0
   AND t.tgname COLLATE "C" > 'zzz_sessiondb_' COLLATE "C"
   AND ('trigger', platform.relname::text, t.tgname::text) NOT IN ({names})
   AND (coalesce(current_setting('sessiondb.adopt', true), '') <> 'on'
        OR NOT EXISTS (
            SELECT FROM writing_session_id AS a
             WHERE a.relation = c.oid AND a.trigger_name = t.tgname))
 ORDER BY c.relname, t.tgname
