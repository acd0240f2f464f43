-- The members of an organisation, or those of some users, by name, who have a text in their name, login or role; staff is who is
-- no student.
SELECT m.user_id, role::pg_catalog.text AS role, coalesce(u.name, m.user_id::pg_catalog.text) AS name, u.login
  FROM platform.org_members AS m
  LEFT JOIN ({users}) AS u ON u.id OPERATOR(pg_catalog.=) m.user_id
 WHERE m.org_id OPERATOR(pg_catalog.=) %(org)s::pg_catalog.uuid
   AND (%(users)s::pg_catalog.uuid[] IS NULL OR m.user_id OPERATOR(pg_catalog.=) ANY (%(users)s::pg_catalog.uuid[]))
   AND (NOT %(staff)s::boolean OR role::pg_catalog.text OPERATOR(pg_catalog.<>) 'student')
   AND (%(search)s::pg_catalog.text IS NULL
        OR pg_catalog.strpos(pg_catalog.lower(pg_catalog.concat_ws(' ', u.name, u.login, role)),
                             pg_catalog.lower(%(search)s::pg_catalog.text)) OPERATOR(pg_catalog.>) 0)
 ORDER BY {by_name}, name, m.user_id
 LIMIT %(limit)s::bigint OFFSET %(skip)s::bigint
