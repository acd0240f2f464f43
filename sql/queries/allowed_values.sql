-- The values that column $2 of table $1 of the platform accepts, if its type is an enum, or if a CHECK on that column alone
-- lists them; in their order there.
SELECT v.value
  FROM pg_attribute AS a
  JOIN pg_class AS c ON c.oid = a.attrelid AND c.relname = $1
  JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = current_setting('sessiondb.schema')
 CROSS JOIN LATERAL (
        SELECT e.enumlabel::text AS value, e.enumsortorder::float8 AS place
          FROM pg_enum AS e
         WHERE e.enumtypid = a.atttypid
        UNION ALL
        SELECT replace(m.found[1], '''''', ''''), m.place
          FROM (SELECT pg_get_constraintdef(k.oid) AS text
                  FROM pg_constraint AS k
                 WHERE k.contype = 'c' AND (k.conrelid = a.attrelid AND k.conkey = ARRAY[a.attnum] OR k.contypid = a.atttypid)
                 ORDER BY k.oid
                 LIMIT 1) AS k
         CROSS JOIN LATERAL regexp_matches(k.text, '''((?:[^'']|'''')+)''::', 'g') WITH ORDINALITY AS m (found, place)
         WHERE k.text ~ '= ANY|^CHECK \(+\w+ = '''
       ) AS v
 WHERE a.attname = $2
 ORDER BY v.place
