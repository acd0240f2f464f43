-- Records, before the objects {objects} of a migration are created, whether they are ours or the platform's own: the
-- latter survive a rollback, and the old definition of a replaced function is saved. A record is not changed again: a run
-- that is repeated after a crash finds what the first one created. If the record itself was lost, the comment of the
-- object shows whose it is. $1: whether what is not there is created next; else it may have another name for a moment.
WITH wanted (kind, parent, name, arguments, migration, found_migration, sha256) AS (
{objects}
)
INSERT INTO sessiondb.objects AS o (kind, parent, name, arguments, migration, origin, facts, previous_definition)
SELECT w.kind, w.parent, w.name, w.arguments, w.migration,
       CASE
           WHEN f.facts IS NULL OR f.is_ours OR w.parent = 'sessiondb' THEN 'created'
           WHEN w.kind = 'function' THEN 'replaced'
           -- always ours, as preflight ensures
           WHEN w.kind = 'trigger' THEN 'created'
           -- the remnant of a failed concurrent build is dropped and built again
           WHEN w.kind = 'index' AND f.facts @> '{"valid": false}' THEN 'created'
           -- that of 0.1.0, which is built again, too
           WHEN w.kind = 'index' AND f.facts - 'valid' = '{"unique": false, "columns": ["org_id/0", "course_id/0", "created_at/1", "id/3"], '
                                                           '"where": "status=''active''"}' THEN 'created'
           ELSE 'found'
       END,
       CASE WHEN w.kind IN ('column', 'constraint', 'index') THEN f.facts END,
       CASE WHEN w.kind = 'function' AND w.parent = 'platform' AND NOT f.is_ours THEN (
           SELECT pg_get_functiondef(p.oid)
                  || format('; COMMENT ON FUNCTION %s IS %L', p.oid::regprocedure, obj_description(p.oid, 'pg_proc'))
             FROM pg_proc AS p
            WHERE p.oid = to_regprocedure(format('%I.%I(%s)', current_setting('sessiondb.schema'), w.name, w.arguments))::oid
              AND p.prokind = 'f'
              -- a rollback runs this; one of another role is set aside, or refused
              AND pg_get_userbyid(p.proowner) = current_user)
       END
  FROM wanted AS w
  LEFT JOIN (
{facts}
       ) AS f ON f.kind = w.kind AND f.parent = w.parent AND f.name = w.name
ON CONFLICT (kind, parent, name) DO UPDATE
   -- dropped by hand after it was created: the new one is ours
   SET origin = CASE WHEN $1 THEN 'created' ELSE o.origin END, facts = NULL, previous_definition = NULL
 WHERE ($1 OR EXCLUDED.kind <> 'column') AND o.facts IS NOT NULL AND EXCLUDED.facts IS NULL AND EXCLUDED.kind IN ('column', 'constraint', 'index')
