-- Each table that apply required to belong to a trusted role (privileges, owners) still does. Where one was renamed or
-- dropped, a role that may create objects in the schema could create another one, whose policies, triggers and defaults
-- would run with the rights of the role that runs a command.
--
-- They are measured by the owner of the table that has our triggers: the owner of all tables in a schema that was created in
-- the place of a renamed one would trust itself. If none has them, enrollments is measured by the owner of submissions.
SELECT 'table_owners' AS "check", 'error' AS level, format('%I.%I', n.nspname, c.relname) AS object,
       format('Table %I.%I belongs to role %I, which may have created it in the place of another one.', n.nspname, c.relname, pg_get_userbyid(c.relowner)) AS detail,
       format('Inspect it, then rename it, and give the table of the platform its name again; or, if it is the right one: ALTER TABLE %I.%I OWNER TO %I',
              n.nspname, c.relname, pg_get_userbyid(w.owner)) AS fix
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname IN ('orgs', 'org_members', 'courses', 'sessions', 'enrollments', 'submissions')
  LEFT JOIN pg_class AS o
    ON o.relnamespace = n.oid AND o.relname = CASE c.relname WHEN 'enrollments' THEN 'submissions' ELSE 'enrollments' END
 CROSS JOIN LATERAL (SELECT coalesce(({linked_owner()}), o.relowner) AS owner) AS w
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND c.relowner NOT IN (
{trusted_roles(w.owner)}
       )
 ORDER BY object
