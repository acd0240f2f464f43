-- The statements that restore lost comments on our objects: if the record is lost, the comments on columns, constraints,
-- indexes and get_user_session_for_course() show whose these are. {comments} has kind, parent, name, arguments and comment
-- of each.
WITH wanted (kind, parent, name, arguments, comment) AS (
{comments}
)
SELECT format('COMMENT ON %s %s IS %L', upper(replace(i.type, 'table ', '')), i.identity, w.comment) AS statement,
       CASE WHEN w.kind IN ('column', 'index', 'policy') THEN json_build_object(w.parent, 'SHARE UPDATE EXCLUSIVE') END AS locks,
       NULL::name AS scans
  FROM wanted AS w
  -- not the remnant of another index of that name; a replaced function of the platform is ours
  JOIN sessiondb.objects AS o ON o.kind = w.kind AND o.parent = w.parent AND o.name = w.name
       AND NOT o.facts @> '{"valid": false}'
       AND (o.origin = 'created' OR o.kind = 'function')
  JOIN (
{facts}
       ) AS f ON f.kind = w.kind AND f.parent = w.parent AND f.name = w.name
 CROSS JOIN LATERAL pg_identify_object(f.class, f.oid, f.place) AS i
 WHERE f.comment IS DISTINCT FROM w.comment
 ORDER BY w.kind, w.parent, w.name
