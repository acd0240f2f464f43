-- Every way from a row of submissions to its course, as a walk along the references.
--
-- names          the columns to follow, and the tables that the given path names
-- seen           the tables on the way, submissions first
-- course_column  the column of the last table that holds the id of the course; id if a foreign key leads to another column of courses
-- joins          what is joined with what, from submissions to courses; "only", ONLY before the name of a table to which a
--                foreign key leads and from which another one inherits (INHERITS): the key sees none of its rows
--
-- Not followed: session_id and the table sessions (which sessiondb adds), org_members, and the table to which user_id
-- refers (a user's course is not the course of their submission).
WITH RECURSIVE
platform AS (
    SELECT n.oid AS namespace,
           to_regclass(format('%I.submissions', n.nspname))::oid AS submissions,
           to_regclass(format('%I.courses', n.nspname))::oid AS courses,
           parse_ident(nullif(current_setting('sessiondb.course_path', true), '')) AS names
      FROM pg_namespace AS n
     WHERE n.nspname = current_setting('sessiondb.schema')
),
reference AS (
{references()}
),
passed_over AS (
    SELECT c.oid AS table_oid
      FROM pg_class AS c
      JOIN platform AS h ON h.namespace = c.relnamespace
     WHERE c.relname IN ('sessions', 'org_members')
     UNION
    SELECT f.to_table
      FROM reference AS f
      JOIN platform AS h ON h.submissions = f.from_table
     WHERE f.is_foreign_key AND f.column_name = 'user_id'
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
           w.joins || jsonb_strip_nulls(jsonb_build_object(
               'from', w.at_table::regclass::text, 'columns', e.from_columns,
               'only', CASE WHEN t.relkind = 'r'
                   AND EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhparent = t.oid) THEN 'ONLY ' END, 'to',
                   e.to_table::regclass::text, 'keys', e.to_columns, 'operators', e.operators, 'casts', e.casts))
      FROM walk AS w
     CROSS JOIN platform AS h
      JOIN reference AS e ON e.from_table = w.at_table
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
                -- else it is an arrival
                AND (e.to_table <> h.courses OR 'id' <> ALL (e.to_columns))
                AND w.at_table <> h.courses
                AND e.to_table NOT IN (SELECT p.table_oid FROM passed_over AS p)
           END
),
arrival AS (
{course_arrivals()}
)
SELECT row_number() OVER () AS number, a.hops, a.seen, a.believed, a.course_column, a.names || a.course_column AS names,
       a.joins || jsonb_build_object(
           'from', a.at_table::regclass::text, 'columns', ARRAY[a.course_column],
           'to', (SELECT h.courses::regclass::text FROM platform AS h), 'keys', '["id"]'::jsonb,
           'operators', '["OPERATOR(pg_catalog.=)"]'::jsonb) AS joins
  FROM arrival AS a
