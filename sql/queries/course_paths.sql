-- Every path from a row of submissions to its course.
--
-- path      the columns to follow, written as --course-path takes them: exercise_id.course_id
-- hops      how many tables are read on the path; 0 for a course_id in submissions itself
-- pieces    the SQL expression of the course, split where the name of the submission's row belongs:
--           array_to_string(pieces, 'NEW') is the expression in a trigger
-- tables    the tables that are read on the path
-- believed  true if no foreign key shows that the last column contains courses, only the given path
-- joins     from submissions to courses, what is joined with what: the tables, their columns and operators, what
--           follows the right operands where that is something (operator.sql), and ONLY where only the table is read
--
-- Two settings are read: sessiondb.schema, the platform's schema, and sessiondb.course_path, NULL or empty if the
-- foreign keys decide. The query needs nothing of schema sessiondb, so preflight and plan can run it before sessiondb is
-- installed.
WITH route AS (
{course_routes()}
),
-- The columns of a step of a route, by their places.
joined AS (
    SELECT r.number, k.hop, j.from_column, j.to_column, j.operator, j.right_cast, j.place
      FROM route AS r
     CROSS JOIN LATERAL jsonb_array_elements(r.joins) WITH ORDINALITY AS k (step, hop)
     CROSS JOIN LATERAL ROWS FROM (
               jsonb_array_elements_text(k.step -> 'columns'), jsonb_array_elements_text(k.step -> 'keys'),
               jsonb_array_elements_text(k.step -> 'operators'), jsonb_array_elements_text(k.step -> 'casts')
           ) WITH ORDINALITY AS j (from_column, to_column, operator, right_cast, place)
),
-- Each table is read through a sub-select that names the columns: for a column that is gone h1.id would be a call of a
-- function id() of any role; plain id is an error.
source AS (
    SELECT r.number,
           string_agg(format('%s(SELECT %s FROM %s%I.%I) AS h%s%s', CASE WHEN h.hop > 1 THEN ' JOIN ' END, c.columns,
                             r.joins -> (h.hop - 1) ->> 'only', n.nspname, t.relname, h.hop, ' ON ' || c.condition), '' ORDER BY h.hop) AS tables
      FROM route AS r
     CROSS JOIN LATERAL generate_series(1, r.hops) AS h (hop)
      JOIN pg_class AS t ON t.oid = r.seen[h.hop + 1]
      JOIN pg_namespace AS n ON n.oid = t.relnamespace
     CROSS JOIN LATERAL (
            SELECT string_agg(DISTINCT quote_ident(CASE WHEN j.hop = h.hop THEN j.to_column ELSE j.from_column END), ', ') AS columns,
                   string_agg(format('h%s.%I %s h%s.%I%s', h.hop, j.to_column, j.operator, h.hop - 1, j.from_column,
                                     j.right_cast), ' AND ' ORDER BY j.place)
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
                                         ELSE j.operand_before || ' AND ' END
                            || format('h1.%I %s ', j.to_column, j.operator) ORDER BY j.place)
                        || format('%s)::pg_catalog.uuid', (array_agg(j.operand ORDER BY j.place DESC))[1])
                   FROM (SELECT *, lag(o.operand) OVER (ORDER BY j.place) AS operand_before
                           FROM joined AS j CROSS JOIN LATERAL (SELECT format('.%I%s', j.from_column, j.right_cast) AS operand) AS o
                          WHERE j.number = r.number AND j.hop = 1) AS j)
       END AS pieces,
       r.seen[2:] AS tables,
       r.believed,
       r.joins
  FROM route AS r
  LEFT JOIN source AS s ON s.number = r.number
 ORDER BY r.hops, path
