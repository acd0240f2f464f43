-- Our triggers as they are: INSTALLED as we made them, or OUTDATED where somebody changed the trigger
-- or its function since.
SELECT o.name::text,
       CASE
           WHEN l.definition IS NULL THEN 'MISSING'
           WHEN l.definition IS DISTINCT FROM o.definition THEN 'OUTDATED'
           WHEN f.definition IS DISTINCT FROM fl.definition THEN 'OUTDATED'
           ELSE 'INSTALLED'
       END AS state,
       coalesce(t.tgenabled <> 'D', false) AS enabled
  FROM sessiondb.objects AS o
  JOIN sessiondb.installation AS i ON true
  LEFT JOIN sessiondb.live_objects AS l ON l.kind = o.kind AND l.parent = o.parent AND l.name = o.name
  LEFT JOIN pg_catalog.pg_trigger AS t
         ON t.tgname = o.name
        AND t.tgrelid = (SELECT c.oid
                           FROM pg_catalog.pg_class AS c
                           JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                          WHERE n.nspname = i.platform_schema AND c.relname = o.parent)
  LEFT JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
  LEFT JOIN sessiondb.objects AS f ON f.kind = 'function' AND f.parent = 'sessiondb' AND f.name = p.proname
  LEFT JOIN sessiondb.live_objects AS fl ON fl.kind = f.kind AND fl.parent = f.parent AND fl.name = f.name
 WHERE o.kind = 'trigger'
