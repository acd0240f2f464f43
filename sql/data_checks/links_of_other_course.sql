-- No row of {table} is linked to a session of another course, or of none. A row that no longer leads to a course keeps its link.
-- must see every row of: none
SELECT 'links_of_other_course' AS "check", 'error' AS level, '{table}' AS object,
       pg_catalog.format(CASE WHEN f.rows OPERATOR(pg_catalog.=) 1 THEN '%s row of {table} is' ELSE '%s rows of {table} are' END
                         OPERATOR(pg_catalog.||) ' linked to a session of another course, for example %s.', f.rows, e.examples) AS detail,
       pg_catalog.format(E'Unlink them: UPDATE %1$I.{table} AS r SET session_id = NULL FROM %1$I.sessions AS s '
                          'WHERE s.id OPERATOR(pg_catalog.=) r.session_id AND coalesce(s.course_id OPERATOR(pg_catalog.<>) %2$s, '
                          '%2$s IS NOT NULL)\nThen: sessiondb backfill',
                         i.platform_schema, CASE WHEN {by_enrollment} THEN sessiondb.course_expression('r') ELSE 'r.course_id' END) AS fix
  FROM (
        SELECT pg_catalog.sum(x.rows) AS rows,
               pg_catalog.jsonb_agg(x.*) FILTER (WHERE x.place OPERATOR(pg_catalog.<=) {examples}) AS groups
          FROM (
                SELECT r.*, pg_catalog.row_number() OVER () AS place
                  FROM {grouped} AS r
                  JOIN platform.sessions AS s ON s.id OPERATOR(pg_catalog.=) r.session_id
                 WHERE coalesce(s.course_id OPERATOR(pg_catalog.<>) r.course_id, r.course_id IS NOT NULL)
               ) AS x
       ) AS f
 CROSS JOIN LATERAL (
{linked_examples()}
       ) AS e
 CROSS JOIN sessiondb.installation AS i
 WHERE f.rows OPERATOR(pg_catalog.>) 0
