-- Every object that the migrations made is there and as it was made. Of one that was changed, the lines between those
-- that are the same at its beginning and at its end are shown as diff -u shows them, five of each at most.
SELECT 'installed_objects' AS "check", 'error' AS level,
       format('%s %s.%s', o.kind, o.parent, o.name) AS object,
       CASE
           WHEN l.definition IS NULL THEN format('The %s is missing.', o.kind)
           ELSE format(E'The %s was changed since it was made:\n@@ -%s,%s +%s,%s @@', o.kind,
                       changed.head + 1, cardinality(line.was) - changed.head - tail.lines,
                       changed.head + 1, cardinality(line.now) - changed.head - tail.lines)
                || (SELECT coalesce(string_agg(E'\n-' || s.line, '' ORDER BY s.number) FILTER (WHERE s.number <= 5), '')
                           || CASE WHEN count(*) > 5 THEN format(E'\n-... %s more lines', count(*) - 5) ELSE '' END
                      FROM unnest(line.was[changed.head + 1:cardinality(line.was) - tail.lines]) WITH ORDINALITY AS s (line, number))
                || (SELECT coalesce(string_agg(E'\n+' || s.line, '' ORDER BY s.number) FILTER (WHERE s.number <= 5), '')
                           || CASE WHEN count(*) > 5 THEN format(E'\n+... %s more lines', count(*) - 5) ELSE '' END
                      FROM unnest(line.now[changed.head + 1:cardinality(line.now) - tail.lines]) WITH ORDINALITY AS s (line, number))
       END AS detail,
       format('Run: sessiondb rollback --to %s && sessiondb apply', m.before) AS fix
  FROM sessiondb.objects AS o
 CROSS JOIN sessiondb.installation AS i
  LEFT JOIN sessiondb.live_objects AS l ON l.kind = o.kind AND l.parent = o.parent AND l.name = o.name
  LEFT JOIN ({claims}) AS m (kind, parent, name, before)
         ON m.kind = o.kind AND coalesce(m.parent, i.platform_schema) = o.parent AND m.name = o.name
 CROSS JOIN LATERAL (
        SELECT string_to_array(o.definition, E'\n') AS was, string_to_array(l.definition, E'\n') AS now
       ) AS line
 CROSS JOIN LATERAL (
        SELECT min(n.number) - 1 AS head
          FROM generate_series(1, greatest(cardinality(line.was), cardinality(line.now))) AS n (number)
         WHERE line.was[n.number] IS DISTINCT FROM line.now[n.number]
       ) AS changed
 CROSS JOIN LATERAL (
        SELECT coalesce(min(n.number) - 1, least(cardinality(line.was), cardinality(line.now)) - changed.head) AS lines
          FROM generate_series(1, least(cardinality(line.was), cardinality(line.now)) - changed.head) AS n (number)
         WHERE line.was[cardinality(line.was) + 1 - n.number] IS DISTINCT FROM line.now[cardinality(line.now) + 1 - n.number]
       ) AS tail
 WHERE o.definition IS NOT NULL
   AND l.definition IS DISTINCT FROM o.definition
 ORDER BY m.before, o.kind, o.parent, o.name
