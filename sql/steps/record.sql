-- Records the facts of new objects, with which status, check and the next apply compare; not those of an unfinished index
-- or key, as a crash leaves it.
WITH wanted AS (
    SELECT o.kind, o.parent::text, o.name::text, o.arguments
      FROM sessiondb.objects AS o
     WHERE o.facts IS NULL OR o.facts @> '{"valid": false}' OR o.facts @> '{"validated": false}'
        -- version 0.1.0 did not record which functions PUBLIC may not call
        OR o.kind = 'function' AND NOT o.facts ? 'private'
        -- and made an index with a condition that is replaced
        OR o.kind = 'index' AND o.facts @> '{"where": "status=''active''"}'
),
-- collected once, not for each object
found AS MATERIALIZED (
{facts}
)
UPDATE sessiondb.objects AS o
   SET facts = f.facts
  FROM found AS f
 WHERE f.kind = o.kind AND f.parent = o.parent AND f.name = o.name
   AND NOT f.facts @> '{"valid": false}'
   AND NOT f.facts @> '{"validated": false}'
   AND (o.kind <> 'function' OR o.facts IS NULL OR f.facts @> o.facts)
