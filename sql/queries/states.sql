-- The state of each object of this version ({objects}) that must exist, and of each object in the database that this
-- version does not have.
--
-- INSTALLED   as this version creates it
-- OUTDATED    as another version created it, or this one for another schema or course path
-- CHANGED     changed by hand after it was created
-- MISSING     dropped, or not created yet
-- UNRECORDED  it exists, but sessiondb.objects has lost its record
-- UNKNOWN     created by another version; this one does not have it
--
-- Objects that need not exist yet are excluded, unless {every}. An index or a key under another name may serve instead of
-- ours: such an object is recorded but never existed.
WITH listed (kind, parent, name, arguments, migration, found_migration, sha256) AS (
{objects}
),
recorded AS (
    SELECT o.* FROM sessiondb.objects AS o WHERE NOT (o.kind = 'trigger' AND o.origin = 'replaced')
),
wanted AS (
    SELECT l.kind, l.parent, l.name, l.arguments FROM listed AS l
    UNION
    SELECT r.kind, r.parent::text, r.name::text, r.arguments FROM recorded AS r
),
live AS (
{facts}
)
SELECT coalesce(l.kind, r.kind) AS kind, coalesce(l.parent, r.parent::text) AS parent, coalesce(l.name, r.name::text) AS name,
       coalesce(r.migration, due.migration) AS migration,
       CASE
           WHEN l.kind IS NULL THEN 'UNKNOWN'
           WHEN v.facts IS NULL THEN 'MISSING'
           WHEN l.kind = 'table' THEN 'INSTALLED'
           -- one that served under another name, and has ours now, was recorded without facts
           WHEN r.kind IS NULL OR l.kind IN ('constraint', 'index') AND r.facts IS NULL THEN 'UNRECORDED'
           WHEN r.facts IS NULL OR NOT v.facts @> r.facts THEN 'CHANGED'
           WHEN r.sha256 <> l.sha256 THEN 'OUTDATED'
           ELSE 'INSTALLED'
       END AS state,
       r.facts AS was, v.facts AS now
  FROM listed AS l
  FULL JOIN recorded AS r ON r.kind = l.kind AND r.parent = l.parent AND r.name = l.name
  LEFT JOIN live AS v ON v.kind = coalesce(l.kind, r.kind) AND v.parent = coalesce(l.parent, r.parent::text)
                     AND v.name = coalesce(l.name, r.name::text)
  LEFT JOIN recorded AS c ON c.kind = 'column' AND c.parent = l.parent AND c.origin = 'found'
 CROSS JOIN LATERAL (SELECT CASE WHEN c.kind IS NULL THEN l.migration ELSE coalesce(l.found_migration, l.migration) END AS migration) AS due
 WHERE l.kind IS NULL
    OR {every}
    OR (EXISTS (SELECT FROM sessiondb._yoyo_migration AS m
                 WHERE starts_with(m.migration_id, due.migration || '.'))
        AND NOT (l.kind IN ('constraint', 'index') AND r.kind IS NOT NULL AND r.facts IS NULL AND v.facts IS NULL))
 ORDER BY 4, 1, 2, 3
