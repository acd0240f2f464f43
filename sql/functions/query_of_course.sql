CREATE OR REPLACE FUNCTION sessiondb.query_of_course(p_steps jsonb, p_user_id uuid)
RETURNS text
LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp
AS $function$
/*
 * For explain_course(): the query of a row from which these steps of the path lead to a course, preferably one in which
 * the user is enrolled, then one that has an active session in an organisation of the user; of enrolments, only those of
 * the user. It returns the key of the row, the course_id, and whether the user is enrolled in the course.
 */
SELECT format(
           $query$
           SELECT pg_catalog.jsonb_build_object('row', pg_catalog.jsonb_build_object(%7$s), 'course_id', k.id, 'is_enrolled', f.is_enrolled)
             FROM %1$s
             JOIN (SELECT id FROM %2$I.courses) AS k ON k.id OPERATOR(pg_catalog.=) t%3$s.id
            CROSS JOIN LATERAL (
                   SELECT EXISTS (SELECT FROM %2$I.enrollments AS e
                                   WHERE e.user_id OPERATOR(pg_catalog.=) %4$L AND e.course_id OPERATOR(pg_catalog.=) k.id) AS is_enrolled,
                          EXISTS (SELECT FROM %2$I.org_members AS m JOIN %2$I.sessions AS s ON s.org_id OPERATOR(pg_catalog.=) m.org_id
                                   WHERE m.user_id OPERATOR(pg_catalog.=) %4$L AND s.course_id OPERATOR(pg_catalog.=) k.id
                                     AND s.status::pg_catalog.text OPERATOR(pg_catalog.=) 'active') AS has_session
                  ) AS f
            WHERE %5$s
            ORDER BY f.is_enrolled DESC, f.has_session DESC, k.id, t1.%6$I
            LIMIT 1
           $query$,
           -- the columns are named without their table: for one that is gone, t1.id would be a call of a function
           string_agg(concat(
               CASE WHEN s.place > 1 THEN 'JOIN ' END,
               format('(SELECT %s FROM %s%s) AS t%s', (
                   SELECT string_agg(DISTINCT quote_ident(n.name), ', ') FROM unnest(s.keys || s.next || s.of_user) AS n (name)),
                          s."only", s."to", s.place),
               CASE WHEN s.place > 1 THEN (
                   SELECT ' ON ' || string_agg(format('t%s.%I %s t%s.%I%s', s.place, c.key, c.operator, s.place - 1, c.name, c.right_cast), ' AND ')
                     FROM unnest(s.columns, s.keys, s.operators, s.casts) AS c (name, key, operator, right_cast)) END), ' ' ORDER BY s.place),
           i.platform_schema,
           max(s.place),
           p_user_id,
           CASE WHEN bool_or(s.of_user IS NOT NULL)
                THEN format('t1.user_id OPERATOR(pg_catalog.=) %L', p_user_id) ELSE 'true' END,
           (array_agg(s.keys[1] ORDER BY s.place))[1],
           (SELECT string_agg(format('%1$L, t1.%1$I', k.name), ', ') FROM jsonb_array_elements_text(p_steps -> 0 -> 'keys') AS k (name)))
  FROM sessiondb.installation AS i
 CROSS JOIN LATERAL (
        SELECT j.*, lead(j.columns) OVER (ORDER BY j.place) AS next,
               CASE WHEN j.place = 1 AND j."to" = format('%I.enrollments', i.platform_schema) THEN ARRAY['user_id'] END AS of_user
          FROM ROWS FROM (jsonb_to_recordset(p_steps) AS ("from" text, columns text[], "to" text, "only" text, keys text[],
                                                          operators text[], casts text[]))
               WITH ORDINALITY AS j ("from", columns, "to", "only", keys, operators, casts, place)
       ) AS s
 GROUP BY i.platform_schema
$function$
