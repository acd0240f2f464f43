-- Every path from a row of submissions to its course.
--
-- path      the columns to follow, written as --course-path takes them: exercise_id.course_id
-- hops      how many tables are read on the path; 0 for a course_id in submissions itself
-- pieces    the SQL expression of the course, split where the name of the submission's row belongs:
--           array_to_string(pieces, 'NEW') is the expression in a trigger
-- tables    the tables that are read on the path
-- believed  true if no foreign key shows that the last column contains courses, only the given path
-- joins     from submissions to courses, what is joined with what: the tables, their columns and operators
--
-- Not followed: session_id and the table sessions (which sessiondb adds), org_members, and the table to which user_id
-- refers (a user's course is not the course of their submission).
--
-- Two settings are read: sessiondb.schema, the platform's schema, and sessiondb.course_path, NULL or empty if the
-- foreign keys decide. The body needs nothing of schema sessiondb, so preflight and plan can run it as a query before
-- sessiondb is installed.
--
-- Longer than a screen: one recursive walk along the foreign keys, whose rows contain the query so far.
WITH RECURSIVE
platform AS (
    SELECT n.oid AS namespace,
           to_regclass(format('%I.submissions', n.nspname))::oid AS submissions,
           to_regclass(format('%I.courses', n.nspname))::oid AS courses,
           parse_ident(nullif(current_setting('sessiondb.course_path', true), '')) AS names
      FROM pg_namespace AS n
     WHERE n.nspname = current_setting('sessiondb.schema')
),
-- A foreign key of several columns is named by the one that refers to "id", else by its last column, and joins on all
-- of them. The operators are named with their schema: for a varchar key an "=" of another role in the platform's
-- schema would otherwise be taken before the catalog's.
foreign_key AS (
    SELECT c.conrelid AS from_table,
           c.confrelid AS to_table,
           (array_agg(a.attname::text ORDER BY (f.attname = 'id') DESC, k.place DESC))[1] AS column_name,
           array_agg(a.attname::text ORDER BY k.place) AS from_columns,
           array_agg(f.attname::text ORDER BY k.place) AS to_columns,
           array_agg(format('OPERATOR(%I.%s)', n.nspname, o.oprname) ORDER BY k.place) AS operators,
           true AS is_foreign_key
      FROM pg_constraint AS c
     CROSS JOIN LATERAL ROWS FROM (unnest(c.conkey), unnest(c.confkey), unnest(c.conpfeqop))
           WITH ORDINALITY AS k (from_attnum, to_attnum, equal, place)
      JOIN pg_operator AS o ON o.oid = k.equal
      JOIN pg_namespace AS n ON n.oid = o.oprnamespace
      JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.from_attnum
      JOIN pg_attribute AS f ON f.attrelid = c.confrelid AND f.attnum = k.to_attnum
     WHERE c.contype = 'f'
       AND c.conparentid = 0
     GROUP BY c.oid, c.conrelid, c.confrelid
),
-- If no foreign key shows the table of a column, the given path names it: exercise_id.exercises.course_id.
-- The table is joined on its primary key, or on a unique "id".
named_table AS (
    SELECT a.attrelid AS from_table,
           t.oid AS to_table,
           a.attname::text AS column_name,
           ARRAY[a.attname::text] AS from_columns,
           ARRAY[k.attname::text] AS to_columns,
           ARRAY[k.operator] AS operators,
           false AS is_foreign_key
      FROM platform AS h
     CROSS JOIN LATERAL generate_subscripts(h.names, 1) AS n
      JOIN pg_attribute AS a ON a.attname = h.names[n] AND a.attnum > 0 AND NOT a.attisdropped
      JOIN pg_class AS t ON t.relnamespace = h.namespace AND t.relname = h.names[n + 1] AND t.relkind IN ('r', 'p')
     CROSS JOIN LATERAL (
            SELECT ka.attname, format('OPERATOR(%I.%s)', ns.nspname, o.oprname) AS operator
              FROM pg_index AS i
              JOIN pg_attribute AS ka ON ka.attrelid = t.oid AND ka.attnum = i.indkey[0]
              JOIN pg_opclass AS oc ON oc.oid = i.indclass[0]
              -- 3 is "=" in a btree
              JOIN pg_amop AS ao ON ao.amopfamily = oc.opcfamily AND ao.amopstrategy = 3
                                AND ao.amoplefttype = oc.opcintype AND ao.amoprighttype = oc.opcintype
              JOIN pg_operator AS o ON o.oid = ao.amopopr
              JOIN pg_namespace AS ns ON ns.oid = o.oprnamespace
             WHERE i.indrelid = t.oid
               AND i.indisunique AND i.indisvalid AND i.indnkeyatts = 1 AND i.indpred IS NULL
               AND (i.indisprimary OR ka.attname = 'id')
               AND ka.atttypid = a.atttypid
             ORDER BY (ka.attname = 'id') DESC
             LIMIT 1
           ) AS k
),
edge AS (
    SELECT f.* FROM foreign_key AS f
    UNION ALL
    SELECT t.* FROM named_table AS t
),
passed_over AS (
    SELECT c.oid AS table_oid
      FROM pg_class AS c
      JOIN platform AS h ON h.namespace = c.relnamespace
     WHERE c.relname IN ('sessions', 'org_members')
     UNION
    SELECT f.to_table
      FROM foreign_key AS f
      JOIN platform AS h ON h.submissions = f.from_table
     WHERE f.column_name = 'user_id'
),
-- at_table is the current table; next_name is the position in the given path.
walk AS (
    SELECT g.given, h.submissions AS at_table, ARRAY[]::text[] AS names,
           ARRAY[h.submissions] AS seen, 0 AS hops, 1 AS next_name, '[]'::jsonb AS joins
      FROM platform AS h
     CROSS JOIN (VALUES (false), (true)) AS g (given)
     WHERE h.submissions IS NOT NULL
       AND g.given = (h.names IS NOT NULL)
    UNION ALL
    SELECT w.given,
           e.to_table,
           (w.names || e.column_name
               || CASE WHEN w.given AND used.names = 2 THEN ARRAY[h.names[w.next_name + 1]] ELSE '{}' END) COLLATE "default",
           w.seen || e.to_table,
           w.hops + 1,
           w.next_name + used.names,
           w.joins || jsonb_build_object(
               'from', w.at_table::regclass::text, 'columns', e.from_columns,
               'to', e.to_table::regclass::text, 'keys', e.to_columns, 'operators', e.operators)
      FROM walk AS w
     CROSS JOIN platform AS h
      JOIN edge AS e ON e.from_table = w.at_table
      JOIN pg_class AS t ON t.oid = e.to_table
     CROSS JOIN (VALUES (1), (2)) AS used (names)
     WHERE e.to_table <> ALL (w.seen)
       AND CASE
               WHEN w.given THEN e.column_name = h.names[w.next_name]
                             AND w.next_name + used.names <= cardinality(h.names)
                             AND CASE used.names
                                     WHEN 1 THEN e.is_foreign_key
                                     ELSE t.relname = h.names[w.next_name + 1]
                                 END
               ELSE used.names = 1
                AND w.hops < 6
                AND e.is_foreign_key
                AND e.column_name <> 'session_id'
                AND e.to_table <> h.courses
                AND e.to_table NOT IN (SELECT p.table_oid FROM passed_over AS p)
           END
),
arrival AS (
    SELECT w.*, e.column_name AS course_column, false AS believed
      FROM walk AS w
     CROSS JOIN platform AS h
      JOIN edge AS e ON e.from_table = w.at_table AND e.to_table = h.courses
     WHERE NOT w.given
       AND e.is_foreign_key
       AND e.column_name NOT IN ('session_id', 'user_id')
    UNION ALL
    SELECT w.*, a.attname::text, k.leads_to_courses IS NULL
      FROM walk AS w
     CROSS JOIN platform AS h
      JOIN pg_attribute AS a ON a.attrelid = w.at_table AND a.attname = h.names[w.next_name]
     CROSS JOIN LATERAL (
            SELECT bool_or(f.to_table = h.courses) AS leads_to_courses
              FROM foreign_key AS f
             WHERE f.from_table = w.at_table AND f.column_name = a.attname
           ) AS k
     WHERE w.given
       AND w.next_name = cardinality(h.names)
       AND a.attname <> 'user_id'
       AND a.attnum > 0 AND NOT a.attisdropped
       AND a.atttypid = 'uuid'::regtype
       -- with a foreign key to another table it is not a course; without a foreign key, the given path is believed
       AND k.leads_to_courses IS NOT FALSE
),
route AS (
    SELECT row_number() OVER () AS number, a.hops, a.seen, a.believed, a.course_column, a.names || a.course_column AS names,
           a.joins || jsonb_build_object(
               'from', a.at_table::regclass::text, 'columns', ARRAY[a.course_column],
               'to', (SELECT h.courses::regclass::text FROM platform AS h), 'keys', '["id"]'::jsonb,
               'operators', '["OPERATOR(pg_catalog.=)"]'::jsonb) AS joins
      FROM arrival AS a
),
-- The columns of a step of a route, by their places.
joined AS (
    SELECT r.number, k.hop, j.from_column, j.to_column, j.operator, j.place
      FROM route AS r
     CROSS JOIN LATERAL jsonb_array_elements(r.joins) WITH ORDINALITY AS k (step, hop)
     CROSS JOIN LATERAL ROWS FROM (
               jsonb_array_elements_text(k.step -> 'columns'), jsonb_array_elements_text(k.step -> 'keys'),
               jsonb_array_elements_text(k.step -> 'operators')
           ) WITH ORDINALITY AS j (from_column, to_column, operator, place)
),
-- Each table is read through a sub-select that names the columns: for a column that is gone h1.id would be a call of a
-- function id() of any role; plain id is an error.
source AS (
    SELECT r.number,
           string_agg(format('%s(SELECT %s FROM %I.%I) AS h%s%s', CASE WHEN h.hop > 1 THEN ' JOIN ' END, c.columns, n.nspname, t.relname,
                             h.hop, ' ON ' || c.condition), '' ORDER BY h.hop) AS tables
      FROM route AS r
     CROSS JOIN LATERAL generate_series(1, r.hops) AS h (hop)
      JOIN pg_class AS t ON t.oid = r.seen[h.hop + 1]
      JOIN pg_namespace AS n ON n.oid = t.relnamespace
     CROSS JOIN LATERAL (
            SELECT string_agg(DISTINCT quote_ident(CASE WHEN j.hop = h.hop THEN j.to_column ELSE j.from_column END), ', ') AS columns,
                   string_agg(format('h%s.%I %s h%s.%I', h.hop, j.to_column, j.operator, h.hop - 1, j.from_column), ' AND ' ORDER BY j.place)
                       FILTER (WHERE j.hop = h.hop AND h.hop > 1) AS condition
              FROM joined AS j
             WHERE j.number = r.number
               AND j.hop IN (h.hop, h.hop + 1)
           ) AS c
     GROUP BY r.number
)
SELECT DISTINCT
       (SELECT string_agg(quote_ident(n.name), '.' ORDER BY n.place)
          FROM unnest(r.names) WITH ORDINALITY AS n (name, place)) AS path,
       r.hops,
       CASE r.hops
           WHEN 0 THEN ARRAY['(', format('.%I)::pg_catalog.uuid', r.course_column)]
           ELSE (SELECT array_agg(
                            CASE j.place WHEN 1 THEN format('(SELECT h%s.%I FROM %s WHERE ', r.hops, r.course_column, s.tables)
                                         ELSE format('.%I AND ', j.column_before) END
                            || format('h1.%I %s ', j.to_column, j.operator) ORDER BY j.place)
                        || format('.%I)::pg_catalog.uuid', (array_agg(j.from_column ORDER BY j.place DESC))[1])
                   FROM (SELECT *, lag(j.from_column) OVER (ORDER BY j.place) AS column_before
                           FROM joined AS j WHERE j.number = r.number AND j.hop = 1) AS j)
       END AS pieces,
       r.seen[2:] AS tables,
       r.believed,
       r.joins
  FROM route AS r
  LEFT JOIN source AS s ON s.number = r.number
 ORDER BY r.hops, path
