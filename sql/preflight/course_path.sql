-- There is one path from a submission to its course.
WITH shortest AS (
{shortest_course_paths()}
),
choice AS (
    SELECT count(*) AS ways,
           string_agg(s.path, ', ' ORDER BY s.path) AS paths,
           min(s.path) AS example,
           nullif(current_setting('sessiondb.course_path', true), '') AS given,
           format('%I.submissions', current_setting('sessiondb.schema')) AS object
      FROM shortest AS s
)
SELECT 'course_path' AS "check", 'error' AS level, c.object,
       CASE
           WHEN c.given IS NOT NULL THEN
               format('The course path %s leads nowhere: each name must be a column of the table that the one before leads to, '
                      'the last one a uuid column that refers to the id of courses or to nothing.', c.given)
           WHEN c.ways = 0 THEN
               'No foreign keys lead from submissions to courses, so the course of a submission is unknown.'
           ELSE
               format('%s paths lead from submissions to courses: %s.', c.ways, c.paths)
       END AS detail,
       CASE
           WHEN c.ways = 0 THEN
               'Name the columns to follow, and after a column without a foreign key its table: '
               '--course-path item_id.items.module_id.modules.course_id, or --course-path course_id.'
           ELSE
               format('Choose one: --course-path %s', ({shell_word(c.example)}))
       END AS fix
  FROM choice AS c
 WHERE c.ways <> 1
   -- required_columns reports what is missing or is not a table
   AND 2 = (SELECT count(*)
              FROM pg_class AS t
              JOIN pg_namespace AS n ON n.oid = t.relnamespace
             WHERE n.nspname = current_setting('sessiondb.schema')
               AND t.relname IN ('submissions', 'courses')
               AND t.relkind IN ('r', 'p'))
UNION ALL
SELECT 'course_path', 'warning', c.object,
       format('No foreign key confirms that %s leads to a course; sessiondb relies on --course-path.', s.path),
       format('To confirm it, add a foreign key: ALTER TABLE %s ADD FOREIGN KEY (%I) REFERENCES %I.courses%s',
              coalesce(t.oid::regclass::text, c.object),
              (SELECT n.names[cardinality(n.names)] FROM parse_ident(s.path) AS n (names)),
              current_setting('sessiondb.schema'),
              -- on a partitioned table only from PostgreSQL 18 on
              CASE WHEN t.relkind = 'p' AND current_setting('server_version_num')::integer < 180000 THEN '' ELSE ' NOT VALID' END)
  FROM choice AS c
  JOIN shortest AS s ON s.believed
  LEFT JOIN pg_class AS t ON t.oid = coalesce(s.tables[cardinality(s.tables)]::oid, to_regclass(c.object))
 WHERE c.ways = 1
UNION ALL
SELECT 'course_path', 'error', k.object, k.detail, k.fix
  FROM choice AS c
 CROSS JOIN shortest AS s
 CROSS JOIN LATERAL (
{keys_by_setting(s.joins)}
       ) AS k
 WHERE c.ways = 1
UNION ALL
-- by the statistics: preflight reads the catalogs alone
SELECT 'course_path', 'warning', c.object,
       format('The path to the course is %s, the shortest, but column %I is empty in all rows; another path is %s.', s.path, n.names[1], o.path),
       format('To choose the other one: sessiondb apply --course-path %s', ({shell_word(o.path)}))
  FROM choice AS c
  JOIN shortest AS s ON c.given IS NULL
 CROSS JOIN parse_ident(s.path) AS n (names)
  JOIN pg_stats AS t
    ON t.schemaname = current_setting('sessiondb.schema') AND t.tablename = 'submissions'
   AND t.attname = n.names[1] AND t.null_frac = 1
 CROSS JOIN LATERAL (
        SELECT p.path
          FROM ({course_paths()}) AS p
         WHERE p.path <> s.path
         ORDER BY p.hops, p.path
         LIMIT 1
       ) AS o
 WHERE c.ways = 1
