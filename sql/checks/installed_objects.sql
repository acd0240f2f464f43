-- Every object exists and is as this version creates it. For a changed object, the lines that differ are shown as by diff
-- -u, at most five of each version; equal lines at the beginning and the end are left out. Nothing else is in the schema: of
-- functions, PostgreSQL calls the one that fits the arguments best.
WITH state AS (
{states}
)
SELECT 'installed_objects' AS "check", 'error' AS level,
       format('%s %s.%s', o.kind, CASE o.parent WHEN 'platform' THEN current_setting('sessiondb.schema') ELSE o.parent END, o.name) AS object,
       CASE o.state
           WHEN 'MISSING' THEN format('The %s is missing.', o.kind)
           WHEN 'OUTDATED' THEN format('The %s is from another version of sessiondb, or for another course path.', o.kind)
           WHEN 'UNRECORDED' THEN format('sessiondb.objects has no record of the %s.', o.kind)
           WHEN 'UNKNOWN' THEN format('The %s was created by another version of sessiondb; this version does not have it.', o.kind)
           ELSE format(E'The %s was changed after it was created:\n@@ -%s,%s +%s,%s @@', o.kind,
                       changed.head + 1, cardinality(line.was) - changed.head - tail.lines,
                       changed.head + 1, cardinality(line.now) - changed.head - tail.lines)
                || (SELECT coalesce(string_agg(E'\n-' || s.line, '' ORDER BY s.number) FILTER (WHERE s.number <= 5), '')
                           || CASE WHEN count(*) > 5 THEN format(E'\n-... %s more lines', count(*) - 5) ELSE '' END
                      FROM unnest(line.was[changed.head + 1:cardinality(line.was) - tail.lines]) WITH ORDINALITY AS s (line, number))
                || (SELECT coalesce(string_agg(E'\n+' || s.line, '' ORDER BY s.number) FILTER (WHERE s.number <= 5), '')
                           || CASE WHEN count(*) > 5 THEN format(E'\n+... %s more lines', count(*) - 5) ELSE '' END
                      FROM unnest(line.now[changed.head + 1:cardinality(line.now) - tail.lines]) WITH ORDINALITY AS s (line, number))
       END AS detail,
       CASE
           -- apply would take these for the platform's own
           WHEN o.state = 'CHANGED' AND o.kind = 'constraint' AND o.was - 'validated' <> o.now - 'validated' THEN
               format(E'ALTER TABLE %I.%I DROP CONSTRAINT %I\nThen: sessiondb apply', current_setting('sessiondb.schema'), o.parent, o.name)
           WHEN o.state = 'CHANGED' AND o.kind = 'index' AND o.was - 'valid' <> o.now - 'valid' THEN
               format(E'DROP INDEX %I.%I\nThen: sessiondb apply', current_setting('sessiondb.schema'), o.name)
           WHEN o.state = 'CHANGED' AND o.kind = 'column' THEN 'Change it back.'
           ELSE 'Run: sessiondb apply'
       END AS fix
  FROM state AS o
 CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(l.line ORDER BY f.key = 'body' DESC, f.key, l.place) FILTER (WHERE NOT v.is_now), '{}') AS was,
               coalesce(array_agg(l.line ORDER BY f.key = 'body' DESC, f.key, l.place) FILTER (WHERE v.is_now), '{}') AS now
          FROM (VALUES (false, o.was), (true, o.now)) AS v (is_now, facts)
         CROSS JOIN LATERAL jsonb_each_text(v.facts) AS f
         CROSS JOIN LATERAL string_to_table(CASE f.key WHEN 'body' THEN f.value ELSE format('%s: %s', f.key, f.value) END, E'\n')
               WITH ORDINALITY AS l (line, place)
       ) AS line
 CROSS JOIN LATERAL (
        SELECT coalesce(min(n.number) - 1, 0) AS head
          FROM generate_series(1, greatest(cardinality(line.was), cardinality(line.now))) AS n (number)
         WHERE line.was[n.number] IS DISTINCT FROM line.now[n.number]
       ) AS changed
 CROSS JOIN LATERAL (
        SELECT coalesce(min(n.number) - 1, least(cardinality(line.was), cardinality(line.now)) - changed.head) AS lines
          FROM generate_series(1, least(cardinality(line.was), cardinality(line.now)) - changed.head) AS n (number)
         WHERE line.was[cardinality(line.was) + 1 - n.number] IS DISTINCT FROM line.now[cardinality(line.now) + 1 - n.number]
       ) AS tail
 WHERE o.state <> 'INSTALLED'
UNION ALL
SELECT 'installed_objects', 'error', s.object, format('Sessiondb did not create this %s.', s.kind), s.fix
  FROM pg_namespace AS n
 CROSS JOIN LATERAL (
        SELECT format('function %s', p.oid::regprocedure) AS object,
               format('function, which belongs to role %I', pg_get_userbyid(p.proowner)) AS kind,
               format('DROP ROUTINE %s', p.oid::regprocedure) AS fix
          FROM pg_proc AS p
         WHERE p.pronamespace = n.oid
           AND p.proname <> 'replaced_get_user_session_for_course'
           AND NOT EXISTS (
                SELECT FROM sessiondb.objects AS r
                 WHERE r.kind = 'function' AND r.parent = 'sessiondb' AND r.name = p.proname AND r.arguments = oidvectortypes(p.proargtypes))
        UNION ALL
        SELECT format('%s %s', x.kind, c.oid::regclass),
               format('%s, which belongs to role %I', x.kind, pg_get_userbyid(c.relowner)), format('DROP %s %s', upper(x.kind), c.oid::regclass)
          FROM pg_class AS c
         CROSS JOIN LATERAL (
                SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
                    WHEN 'f' THEN 'foreign table' ELSE 'table' END AS kind) AS x
         WHERE c.relnamespace = n.oid
           AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
           AND NOT EXISTS (SELECT FROM state AS o WHERE o.kind = 'table' AND o.parent = 'sessiondb' AND o.name = c.relname)
           AND NOT (c.relname ~ '^(saved_links|changed_rows)_of_(enrollments|submissions)$'
                    AND NOT EXISTS (SELECT FROM sessiondb._yoyo_migration AS m WHERE starts_with(m.migration_id, '0006.')))
        UNION ALL
        SELECT format('trigger %I on %s', t.tgname, c.oid::regclass), 'trigger', format('DROP TRIGGER %I ON %s', t.tgname, c.oid::regclass)
          FROM pg_trigger AS t
          JOIN pg_class AS c ON c.oid = t.tgrelid AND c.relnamespace = n.oid
         WHERE NOT t.tgisinternal AND t.tgfoid IS DISTINCT FROM to_regprocedure('sessiondb.require_owner()')
       ) AS s
 WHERE n.nspname = 'sessiondb'
UNION ALL
SELECT DISTINCT 'installed_objects', 'error', format('table %s', t.relid::regclass),
       'A trigger that lets only the owner write to it is missing or was changed.', 'Run: sessiondb apply'
  FROM (
{tables_to_protect()}
       ) AS t
  JOIN state AS o ON o.kind = 'table' AND o.parent = 'sessiondb' AND to_regclass(format('sessiondb.%I', o.name)) = t.relid
 ORDER BY object
