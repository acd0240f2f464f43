-- The members of an organisation, by role, with their names as far as the role that asks may read them.
SELECT sessiondb.name_of('user', m.user_id) AS member, m.role::pg_catalog.text AS role, m.user_id
  FROM platform.org_members AS m
 WHERE m.org_id OPERATOR(pg_catalog.=) %(org)s::pg_catalog.uuid
 ORDER BY 2, 1
