-- How many rows of {table} have no session, by reason; a warning if that is "linked", and a backfill would link them. The
-- reasons are those of choose_sessions(), here for all rows at once, because the session itself does not matter. If no
-- session at all is active, the platform may have another word for it.
-- must see every row of: all but submissions
SELECT 'unlinked_rows' AS "check",
       CASE WHEN f.reason OPERATOR(pg_catalog.=) 'linked' THEN 'warning' ELSE 'info' END AS level,
       '{table}' AS object,
       pg_catalog.format(CASE WHEN f.rows OPERATOR(pg_catalog.=) 1 THEN '%s row of %s in {table} has no session%s.'
                         ELSE '%s rows of %s in {table} have no session%s.' END,
                         f.rows, (SELECT pg_catalog.sum(r.rows) FROM {grouped} AS r),
                         CASE WHEN f.reason OPERATOR(pg_catalog.=) 'linked' THEN ', though the rules find one'
                             ELSE pg_catalog.format(' (%s)', f.reason) END)
           OPERATOR(pg_catalog.||) coalesce(' Only active sessions are chosen, but the status of each is another: '
                                            OPERATOR(pg_catalog.||) w.words OPERATOR(pg_catalog.||) '.', '') AS detail,
       CASE
           WHEN f.reason OPERATOR(pg_catalog.=) 'linked' THEN 'Link them: sessiondb backfill'
           ELSE pg_catalog.concat_ws(E'\n', 'List them: sessiondb show {table} --unlinked',
                                     'See what one of them needs: sessiondb explain ' OPERATOR(pg_catalog.||) CASE
                    WHEN f.pair IS NOT NULL THEN pg_catalog.format('--user %s --course %s',
                                                                   sessiondb.shell_name('user', f.pair[1]), sessiondb.shell_name('course', f.pair[2]))
                    ELSE (
                        -- on some platforms the id is a text, which a student chooses
                        SELECT '--' OPERATOR(pg_catalog.||) pg_catalog.rtrim('{table}', 's') OPERATOR(pg_catalog.||) ' ' OPERATOR(pg_catalog.||)
                               pg_catalog.substring(x.id, '^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
                          FROM (SELECT ({optional(r, id)}) AS id
                                  FROM platform.{table} AS r WHERE r.session_id IS NULL AND ({course} IS NULL OR r.user_id IS NULL) LIMIT 1) AS x)
                END, CASE WHEN w.words IS NOT NULL THEN
                    pg_catalog.format('If one of these means active, with it for STATUS: UPDATE %I.sessions '
                                      'SET status = ''active'' WHERE status OPERATOR(pg_catalog.=) ''STATUS''', i.platform_schema) END)
       END AS fix
  FROM (
        SELECT c.reason, pg_catalog.sum(c.rows) AS rows,
               pg_catalog.min(ARRAY[c.user_id, c.course_id]) FILTER (WHERE c.user_id IS NOT NULL AND c.course_id IS NOT NULL) AS pair
          FROM (
                SELECT r.user_id, r.course_id, r.rows,
                       CASE
                           WHEN r.course_id IS NULL THEN 'course_unknown'
                           WHEN r.user_id IS NULL THEN 'no_membership'
                           WHEN pg_catalog.bool_or(o.is_active) THEN 'linked'
                           WHEN pg_catalog.bool_and(k.id IS NULL) THEN 'course_unknown'
                           WHEN pg_catalog.bool_and(m.user_id IS NULL) THEN 'no_membership'
                           WHEN pg_catalog.bool_and(a.course_id IS NULL) THEN 'no_session_for_course'
                           WHEN pg_catalog.bool_or(o.org_id IS NOT NULL) THEN 'no_active_session'
                           ELSE 'session_in_other_org'
                       END AS reason
                  FROM {grouped} AS r
                  LEFT JOIN platform.courses AS k ON k.id OPERATOR(pg_catalog.=) r.course_id
                  LEFT JOIN (SELECT DISTINCT o.course_id FROM offered AS o) AS a ON a.course_id OPERATOR(pg_catalog.=) r.course_id
                  LEFT JOIN platform.org_members AS m ON m.user_id OPERATOR(pg_catalog.=) r.user_id
                  LEFT JOIN offered AS o ON o.org_id OPERATOR(pg_catalog.=) m.org_id AND o.course_id OPERATOR(pg_catalog.=) r.course_id
                 WHERE r.session_id IS NULL
                 GROUP BY r.user_id, r.course_id, r.rows
               ) AS c
         GROUP BY c.reason
       ) AS f
  LEFT JOIN (
        SELECT pg_catalog.string_agg(DISTINCT s.status::pg_catalog.text, ', ') AS words
          FROM platform.sessions AS s
        HAVING pg_catalog.bool_and(s.status::pg_catalog.text OPERATOR(pg_catalog.<>) 'active')
       ) AS w ON f.reason OPERATOR(pg_catalog.=) 'no_active_session'
 CROSS JOIN sessiondb.installation AS i
 ORDER BY f.reason
