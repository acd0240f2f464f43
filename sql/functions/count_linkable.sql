CREATE OR REPLACE FUNCTION sessiondb.count_linkable(p_course_id uuid)
RETURNS TABLE (enrollments bigint, submissions bigint)
LANGUAGE plpgsql STABLE
SET random_page_cost = 1
AS $function$
/*
 * How many unlinked rows of the course a backfill would link now: those whose user is a member of an organisation with
 * an active session of the course.
 *
 * The submissions are found from the course, along the steps in sessiondb.installation: course_of() of each submission
 * would read all of them, and so would the planner for one course in a hundred if random pages cost four times as much.
 * MATERIALIZED, because the planner has no statistics on a column that was just added and could choose a nested loop;
 * OFFSET 0, because it would otherwise read all members instead of searching an index.
 */
BEGIN
    RETURN QUERY EXECUTE (
        SELECT pg_catalog.format(
            $count$
            WITH enrolled AS MATERIALIZED (
                SELECT e.user_id, pg_catalog.count(*) AS rows
                  FROM %1$I.enrollments AS e
                 WHERE e.session_id IS NULL AND e.course_id OPERATOR(pg_catalog.=) $1
                 GROUP BY e.user_id
            ),
            submitted AS MATERIALIZED (
                SELECT t0.user_id, pg_catalog.count(*) AS rows
                  FROM (SELECT %5$s FROM %1$I.submissions) AS t0%2$s
                 WHERE t0.session_id IS NULL AND t%3$s.%4$I OPERATOR(pg_catalog.=) $1
                 GROUP BY t0.user_id
            )
            SELECT coalesce(pg_catalog.sum(u.enrollments), 0)::pg_catalog.int8, coalesce(pg_catalog.sum(u.submissions), 0)::pg_catalog.int8
              FROM (SELECT r.user_id, r.rows AS enrollments, 0 AS submissions FROM enrolled AS r
                    UNION ALL
                    SELECT r.user_id, 0, r.rows FROM submitted AS r) AS u
             WHERE EXISTS (
                    SELECT FROM %1$I.org_members AS m
                      JOIN %1$I.sessions AS s ON s.org_id OPERATOR(pg_catalog.=) m.org_id
                     WHERE m.user_id OPERATOR(pg_catalog.=) u.user_id
                       AND s.course_id OPERATOR(pg_catalog.=) $1
                       AND s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active'
                    OFFSET 0)
            $count$,
            s.platform_schema,
            -- the columns are named without their table: for one that is gone, t1.id would be a call of a function
            pg_catalog.string_agg(pg_catalog.format(' JOIN (SELECT %s FROM %s%s) AS t%s ON ', (
                SELECT pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(n.name), ', ')
                    FROM pg_catalog.unnest(s.keys OPERATOR(pg_catalog.||) s.next) AS n (name)
            ), s."only", s."to", s.place) OPERATOR(pg_catalog.||) (
                SELECT pg_catalog.string_agg(
                           pg_catalog.format('t%s.%I %s t%s.%I%s', s.place, c.key, c.operator, s.place OPERATOR(pg_catalog.-) 1,
                                             c.name, c.right_cast), ' AND ')
                  FROM ROWS FROM (pg_catalog.unnest(s.columns), pg_catalog.unnest(s.keys), pg_catalog.unnest(s.operators),
                                  pg_catalog.unnest(s.casts)) AS c (name, key, operator, right_cast)
            ), '' ORDER BY s.place) FILTER (WHERE s.place OPERATOR(pg_catalog.<) s.last),
            pg_catalog.max(s.last) OPERATOR(pg_catalog.-) 1,
            (pg_catalog.array_agg(s.columns[1] ORDER BY s.place DESC))[1],
            pg_catalog.min(s.first))
          FROM (
                SELECT i.platform_schema, j."only", j."to", j.columns, j.keys, j.operators, j.casts, j.place, pg_catalog.count(*) OVER () AS last,
                       pg_catalog.lead(j.columns) OVER (ORDER BY j.place) AS next,
                       CASE WHEN j.place OPERATOR(pg_catalog.=) 1 THEN (
                           SELECT pg_catalog.string_agg(pg_catalog.quote_ident(n.name), ', ')
                               FROM (SELECT n.name FROM pg_catalog.unnest(j.columns) AS n (name) UNION VALUES ('user_id'),
                                     ('session_id')) AS n) END AS first
                  FROM sessiondb.installation AS i
                 CROSS JOIN LATERAL ROWS FROM (
                        pg_catalog.jsonb_to_recordset(i.course_joins) AS ("only" pg_catalog.text, "to" pg_catalog.text,
                            columns pg_catalog.text[], keys pg_catalog.text[], operators pg_catalog.text[], casts pg_catalog.text[])
                       ) WITH ORDINALITY AS j ("only", "to", columns, keys, operators, casts, place)
               ) AS s
         GROUP BY s.platform_schema)
      USING p_course_id;
END
$function$
