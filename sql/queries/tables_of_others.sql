-- The tables of the rules in schema $1, their partitions, the tables that inherit from one, and what a view in the place of one
-- reads, that belong to a role that is not trusted: where one was renamed or dropped, a role that may create objects in the schema
-- could create another one, whose policies, triggers and defaults would run with the rights of the role that reads or writes.
SELECT named.identity AS object, p.relowner, w.owner AS right_owner
  FROM pg_namespace AS n
  JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname IN ('orgs', 'org_members', 'courses', 'sessions', 'enrollments', 'submissions')
 CROSS JOIN LATERAL (
        WITH RECURSIVE tree (relid) AS (
            SELECT c.oid
             UNION
            SELECT x.relid
              FROM tree AS t
             CROSS JOIN LATERAL (
                    SELECT i.inhrelid FROM pg_inherits AS i WHERE i.inhparent = t.relid
                    UNION ALL
                    SELECT d.refobjid
                      FROM pg_class AS v
                      JOIN pg_rewrite AS r ON r.ev_class = v.oid
                      JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
                     WHERE v.oid = t.relid AND v.relkind = 'v'
                   ) AS x (relid)
        )
        SELECT t.relid FROM tree AS t
       ) AS node
  JOIN pg_class AS p ON p.oid = node.relid
 CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, p.oid, 0) AS named
 CROSS JOIN LATERAL (SELECT ({right_owner(n.oid)}) AS owner) AS w
 WHERE n.nspname = $1
   AND p.relowner NOT IN (
{trusted_roles(w.owner)}
       )
