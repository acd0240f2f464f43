-- The tables of the rules in schema $1, and their partitions, that belong to a role that is not trusted: where one was renamed or dropped, a role that
-- may create objects in the schema could create another one, whose policies, triggers and defaults would run with the rights
-- of the role that reads or writes.
--
-- They are measured by the owner of the table that has our triggers: the owner of all tables in a schema that was created in
-- the place of a renamed one would trust itself. If none has them, by the role that owns most of the tables.
SELECT p.oid, named.identity AS object, p.relowner, w.owner AS right_owner
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname IN ('orgs', 'org_members', 'courses', 'sessions', 'enrollments', 'submissions')
 CROSS JOIN LATERAL (
        SELECT mode() WITHIN GROUP (ORDER BY o.relowner) AS owner
          FROM pg_class AS o
         WHERE o.relnamespace = n.oid AND o.relname IN ('orgs', 'org_members', 'courses', 'sessions', 'enrollments', 'submissions')
       ) AS most
 CROSS JOIN LATERAL ({with_partitions(c.oid)}) AS node
  JOIN pg_class AS p ON p.oid = node.relid
 CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, p.oid, 0) AS named
 CROSS JOIN LATERAL (SELECT coalesce(({linked_owner()}), most.owner) AS owner) AS w
 WHERE n.nspname = $1
   AND p.relowner NOT IN (
{trusted_roles(w.owner)}
       )
