-- Each table that apply required to belong to a trusted role (privileges, owners) still does. Where one was renamed or
-- dropped, a role that may create objects in the schema could create another one, whose policies, triggers and defaults
-- would run with the rights of the role that runs a command.
--
-- enrollments itself, whose owner is trusted, is measured by the owner of submissions.
SELECT 'table_owners' AS "check", 'error' AS level, format('%I.%I', n.nspname, c.relname) AS object,
       format('Table %I.%I belongs to role %I, which may have created it in the place of another one.', n.nspname, c.relname, pg_get_userbyid(c.relowner)) AS detail,
       format('Inspect it, then rename it, and give the table of the platform its name again; or, if it is the right one: ALTER TABLE %I.%I OWNER TO %I',
              n.nspname, c.relname, pg_get_userbyid(o.relowner)) AS fix
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname IN ('org_members', 'sessions', 'enrollments', 'submissions')
  LEFT JOIN pg_class AS o
    ON o.relnamespace = n.oid AND o.relname = CASE c.relname WHEN 'enrollments' THEN 'submissions' ELSE 'enrollments' END
 WHERE n.nspname = current_setting('sessiondb.schema')
   AND c.relowner NOT IN (
{trusted_roles(o.relowner)}
       )
 ORDER BY object
