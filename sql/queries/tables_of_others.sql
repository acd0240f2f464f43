-- The tables of the rules in schema $1 that belong to a role that is not trusted: where one was renamed or dropped, a role that may
-- create objects in the schema could create another one, whose policies, triggers and defaults would run with the rights of the role
-- that reads or writes. Also the relatives of these and of the tables with the names of users, whose own owner is trusted.
SELECT DISTINCT named.identity AS object, p.relowner, w.owner AS right_owner
  FROM pg_namespace AS n
 CROSS JOIN LATERAL (
        SELECT c.oid, NULL::oid AS owner FROM pg_class AS c
         WHERE c.relnamespace = n.oid AND c.relname IN ('orgs', 'org_members', 'courses', 'sessions', 'enrollments', 'submissions')
        UNION ALL
        SELECT u.oid, c.relowner
          FROM (
{tables_with_names($1)}
               ) AS u
          JOIN pg_class AS c ON c.oid = u.oid
       ) AS base
 CROSS JOIN LATERAL (
{with_relatives(base.oid)}
       ) AS node
  JOIN pg_class AS p ON p.oid = node.relid
 CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, p.oid, 0) AS named
 CROSS JOIN LATERAL (SELECT ({right_owner(n.oid)}) AS owner) AS h
 CROSS JOIN LATERAL (SELECT coalesce(base.owner, h.owner) AS owner) AS w
 WHERE n.nspname = $1
   AND p.relowner IS DISTINCT FROM h.owner
   AND p.relowner NOT IN (
{trusted_roles(w.owner)}
       )
