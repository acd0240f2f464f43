-- The tables of the rules in schema $1, their partitions, and the tables that a view in the place of one reads, that belong to a role that is not trusted: where one was renamed or dropped, a role that
-- may create objects in the schema could create another one, whose policies, triggers and defaults would run with the rights
-- of the role that reads or writes.
SELECT named.identity AS object, p.relowner, w.owner AS right_owner
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname IN ('orgs', 'org_members', 'courses', 'sessions', 'enrollments', 'submissions')
 CROSS JOIN LATERAL (
        {with_partitions(c.oid)}
        UNION
        SELECT d.refobjid
          FROM pg_rewrite AS r
          JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
         WHERE r.ev_class = c.oid AND c.relkind = 'v'
       ) AS node
  JOIN pg_class AS p ON p.oid = node.relid
 CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, p.oid, 0) AS named
 CROSS JOIN LATERAL (SELECT ({right_owner(n.oid)}) AS owner) AS w
 WHERE n.nspname = $1
   AND p.relowner NOT IN (
{trusted_roles(w.owner)}
       )
