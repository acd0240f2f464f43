-- The tables of the rules in schema $1 that belong to a role that is not trusted: where one was renamed or dropped, a role that
-- may create objects in the schema could create another one, whose policies, triggers and defaults would run with the rights
-- of the role that reads or writes.
--
-- They are measured by the owner of the table that has our triggers: the owner of all tables in a schema that was created in
-- the place of a renamed one would trust itself. If none has them, enrollments is measured by the owner of submissions.
SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS object, c.relowner, w.owner AS right_owner
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname IN ('orgs', 'org_members', 'courses', 'sessions', 'enrollments', 'submissions')
  LEFT JOIN pg_class AS o
    ON o.relnamespace = n.oid AND o.relname = CASE c.relname WHEN 'enrollments' THEN 'submissions' ELSE 'enrollments' END
 CROSS JOIN LATERAL (SELECT coalesce(({linked_owner()}), o.relowner) AS owner) AS w
 WHERE n.nspname = $1
   AND c.relowner NOT IN (
{trusted_roles(w.owner)}
       )
