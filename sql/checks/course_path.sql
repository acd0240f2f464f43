-- The path from a submission to its course is still the one with which the functions were compiled. Names a column or table
-- on it that was renamed or dropped; if only a foreign key was dropped, the path that does without it. Its tables belong to trusted
-- roles, where no foreign key shows that they are the right ones.
SELECT 'course_path' AS "check", 'error' AS level, i.course_path AS object,
       coalesce(
           gone.detail,
           format('The platform has changed: the path %s from submissions to courses no longer leads as it did when sessiondb was '
                  'installed.', i.course_path)
       ) AS detail,
       CASE
           WHEN gone.detail IS NULL AND named.lacks_key THEN
               format('Name the tables, which no foreign key shows any more: sessiondb apply --course-path %s',
                      ({shell_word(named.path)}))
           ELSE 'Find the path again, or give one with --course-path PATH: sessiondb apply'
       END AS fix
  FROM sessiondb.installation AS i
 CROSS JOIN LATERAL (
        SELECT coalesce(
                   (SELECT format('Column %I of table %s, on the path %s from submissions to courses, no longer exists.',
                                  used.name, used.of_table, i.course_path)
                      FROM jsonb_array_elements(i.course_joins) WITH ORDINALITY AS j (step, place)
                     CROSS JOIN LATERAL (
                            SELECT j.step ->> 'from' AS of_table, c.name FROM jsonb_array_elements_text(j.step -> 'columns') AS c (name)
                            UNION ALL
                            SELECT j.step ->> 'to', k.name FROM jsonb_array_elements_text(j.step -> 'keys') AS k (name)
                           ) AS used
                     WHERE to_regclass(used.of_table) IS NOT NULL
                       AND NOT EXISTS (
                            SELECT FROM pg_attribute AS a
                             WHERE a.attrelid = to_regclass(used.of_table) AND a.attname = used.name AND NOT a.attisdropped)
                     ORDER BY j.place
                     LIMIT 1),
                   (SELECT format('Table %s, on the path %s from submissions to courses, no longer exists.', j.step ->> 'to', i.course_path)
                      FROM jsonb_array_elements(i.course_joins) WITH ORDINALITY AS j (step, place)
                     WHERE to_regclass(j.step ->> 'to') IS NULL
                     ORDER BY j.place
                     LIMIT 1)) AS detail
       ) AS gone
 -- references() takes a table that the path names, in the platform's schema
 CROSS JOIN LATERAL (
        SELECT string_agg(quote_ident(a.attname) || CASE WHEN j.place < s.steps THEN '.' || quote_ident(t.relname) ELSE '' END,
                          '.' ORDER BY j.place) AS path,
               bool_or(NOT EXISTS (
                    SELECT FROM pg_constraint AS k WHERE k.contype = 'f' AND k.conrelid = a.attrelid AND a.attnum = ANY (k.conkey)))
                   FILTER (WHERE j.place < s.steps) AS lacks_key
          FROM jsonb_array_length(i.course_joins) AS s (steps)
         CROSS JOIN jsonb_array_elements(i.course_joins) WITH ORDINALITY AS j (step, place)
          JOIN pg_attribute AS a ON a.attrelid = to_regclass(j.step ->> 'from') AND a.attname = j.step -> 'columns' ->> -1
          JOIN pg_class AS t ON t.oid = to_regclass(j.step ->> 'to')
       ) AS named
 WHERE i.course_path IS NOT NULL
   AND NOT EXISTS (SELECT FROM ({course_paths()}) AS p WHERE p.pieces = i.course_pieces)
UNION ALL
SELECT 'course_path', 'error', h.object,
       format('Table %s, on the path from submissions to courses, belongs to role %I, which may have created it in the place of another one.',
              h.object, pg_get_userbyid(h.relowner)),
       CASE WHEN o.owner IS NULL THEN 'The tables of the platform belong to several roles. Inspect them, then give all of them to '
                                      'one with ALTER TABLE.'
            ELSE format('Inspect it, then rename it, and give the table of the platform its name again; or, if it is the right '
                        'one: ALTER TABLE %s OWNER TO %I',
                        h.object, pg_get_userbyid(o.owner)) END
  FROM pg_namespace AS n
 CROSS JOIN LATERAL (SELECT ({right_owner(n.oid)}) AS owner) AS o
 CROSS JOIN LATERAL (
{path_of_others(o.owner)}
       ) AS h
 WHERE n.nspname = current_setting('sessiondb.schema')
UNION ALL
SELECT 'course_path', 'error', k.object, k.detail, k.fix
  FROM sessiondb.installation AS i
 CROSS JOIN LATERAL (
{keys_by_setting(i.course_joins)}
       ) AS k
