-- Only trusted roles (the owner of what is granted, superusers, the owners of the database, of schema sessiondb and of
-- enrollments) may write in schema sessiondb, call functions that run with the owner's rights, create objects where ours
-- look for the platform's, or create a trigger on a table that our commands write or read, or a foreign key to one from
-- which rows are deleted, or whose key they change. Where the platform's own functions write is not known, so either is a remark on any
-- other table of a trusted role. Members of a trusted role are not trusted for that reason; a grant on columns counts as one on the
-- table. docs/grants.md lists what a role needs to read.
WITH platform AS (
    SELECT n.oid, n.nspname, c.relowner AS table_owner
      FROM pg_namespace AS n
      LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'enrollments'
     WHERE n.nspname = current_setting('sessiondb.schema')
),
trusted (oid) AS (
    SELECT h.table_owner FROM platform AS h WHERE h.table_owner IS NOT NULL
    UNION
    SELECT n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'sessiondb'
    UNION
    SELECT d.datdba FROM pg_database AS d WHERE d.datname = current_database()
),
used AS (
    SELECT u.relid, bool_or(u.is_linked) AS is_linked, bool_or(u.changes_keys) AS changes_keys
      FROM (
{tables_in_use(false)}
           ) AS u
     GROUP BY u.relid
),
relation AS (
    SELECT c.oid, c.relname, c.relnamespace, c.relowner, a.grantor, a.grantee, a.is_grantable, a.privilege_type, NULL::name AS column_name
      FROM pg_class AS c
     CROSS JOIN LATERAL aclexplode(c.relacl) AS a
     UNION ALL
    SELECT c.oid, c.relname, c.relnamespace, c.relowner, a.grantor, a.grantee, a.is_grantable, a.privilege_type, t.attname
      FROM pg_class AS c
      JOIN pg_attribute AS t ON t.attrelid = c.oid AND NOT t.attisdropped
     CROSS JOIN LATERAL aclexplode(t.attacl) AS a
),
granted AS (
{dangerous_grants()}
)
SELECT 'grants' AS "check", g.level, g.object,
       format('%s may %s (%s).', coalesce('Role ' || quote_ident(r.rolname)
                                              || CASE WHEN m.has_members THEN ', with its members,' ELSE '' END, 'Every role'),
              g.danger, g.privilege || coalesce(' of ' || g.columns, '')) AS detail,
       CASE
           WHEN g.name = '' THEN format('REVOKE %I FROM %I', g.privilege, r.rolname)
           -- REVOKE removes only what the owner has granted
           WHEN g.grantor <> g.owner THEN
               format('REVOKE GRANT OPTION FOR %s%s ON %s FROM %I CASCADE', g.privilege, ' (' || g.columns || ')', g.name, pg_get_userbyid(g.grantor))
           ELSE format('REVOKE %s%s ON %s FROM %s%s', g.privilege, ' (' || g.columns || ')', g.name, coalesce(quote_ident(r.rolname), 'PUBLIC'),
                       CASE WHEN g.is_grantable THEN ' CASCADE' ELSE '' END)
       END AS fix
  FROM (
        SELECT o.object, o.owner, o.grantor, o.grantee, o.is_grantable, o.privilege, o.level, o.danger,
               concat_ws(' ', o.kind, string_agg(DISTINCT o.name, ', ')) AS name,
               string_agg(DISTINCT quote_ident(o.column_name), ', ') AS columns
          FROM granted AS o
         GROUP BY o.object, o.kind, o.owner, o.grantor, o.grantee, o.is_grantable, o.privilege, o.level, o.danger,
             CASE WHEN o.column_name IS NOT NULL THEN o.name END
       ) AS g
  LEFT JOIN pg_roles AS r ON r.oid = g.grantee
 CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM pg_auth_members AS m WHERE m.roleid = g.grantee) AS has_members) AS m
 WHERE g.grantee <> g.owner
   AND (g.grantee = 0 OR EXISTS (
        SELECT FROM pg_roles AS u
         WHERE pg_has_role(u.oid, g.grantee, 'USAGE')
           AND u.oid NOT IN (SELECT t.oid FROM trusted AS t)
           -- these can do anything in any case
           AND NOT pg_has_role(u.oid, g.owner, 'USAGE')
           AND NOT (u.rolbypassrls AND g.level <> 'error')))
 ORDER BY g.level, g.object, r.rolname, g.privilege, g.columns
