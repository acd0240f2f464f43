-- The members of an organisation, by role, with their names as far as the current role may read them. Not m.role: without
-- such a column, that would call a function role(org_members) of any role.
SELECT coalesce(p.label, m.user_id::pg_catalog.text) AS member, role::pg_catalog.text AS role, m.user_id
  FROM platform.org_members AS m
  LEFT JOIN ({people}) AS p ON p.id OPERATOR(pg_catalog.=) m.user_id
 WHERE m.org_id OPERATOR(pg_catalog.=) %(org)s::pg_catalog.uuid
 ORDER BY 2, 1
