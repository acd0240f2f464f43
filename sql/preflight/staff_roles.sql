-- A member can have each role of staff: the type of the column, or a CHECK that lists its values, has it. A misspelt role
-- would let no member read.
WITH role AS (
    SELECT format('%I.org_members', n.nspname) AS full_name, a.atttypid, a.attrelid, a.attnum
      FROM pg_namespace AS n
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'org_members'
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'role' AND NOT a.attisdropped
     WHERE n.nspname = current_setting('sessiondb.schema')
),
allowed AS (
    SELECT e.enumlabel::text AS value
      FROM role AS r
      JOIN pg_enum AS e ON e.enumtypid = r.atttypid
    UNION ALL
    SELECT replace(m.found[1], '''''', '''')
      FROM (SELECT pg_get_constraintdef(k.oid) AS text
              FROM role AS r
              JOIN pg_constraint AS k ON k.contype = 'c' AND (k.conrelid = r.attrelid AND k.conkey = ARRAY[r.attnum] OR k.contypid = r.atttypid)
             ORDER BY k.oid
             LIMIT 1) AS k
     CROSS JOIN LATERAL regexp_matches(k.text, '''((?:[^'']|'''')+)''::', 'g') AS m (found)
     WHERE k.text ~ '= ANY|^CHECK \(+\w+ = '''
)
SELECT 'staff_roles' AS "check", 'error' AS level, format('%s.role', r.full_name) AS object,
       format('Column role of table %s cannot hold "%s", a role of --staff.', r.full_name, s.name) AS detail,
       'Give roles that it accepts: ' || (SELECT string_agg(a.value, ', ') FROM allowed AS a) AS fix
  FROM role AS r
 CROSS JOIN regexp_split_to_table(btrim(nullif(current_setting('sessiondb.staff', true), '')), '\s*,\s*') AS s (name)
 WHERE s.name NOT IN (SELECT a.value FROM allowed AS a)
   AND EXISTS (SELECT FROM allowed)
 ORDER BY s.name
