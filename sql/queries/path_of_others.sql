-- The tables on the path to the course of roles that are not trusted, where no foreign key shows that they are the right ones: such a
-- role may have created one in the place of another. Also the relatives of each, whose own owner is trusted. $1 owns the platform's
-- table enrollments.
SELECT DISTINCT named.identity AS object, p.relowner
  FROM sessiondb.installation AS i
 CROSS JOIN LATERAL (
        SELECT j.step ->> 'to' AS "to",
               lag(j.step ->> 'to', 1, format('%I.submissions', i.platform_schema)) OVER (ORDER BY j.place) AS "from"
          FROM jsonb_array_elements(i.course_joins) WITH ORDINALITY AS j (step, place)
       ) AS h
  JOIN pg_class AS c ON c.oid = to_regclass(h."to")
 CROSS JOIN LATERAL (
        -- also the id of the same row, where a foreign key leads to another column of courses
        SELECT to_regclass(h."from") = c.oid OR EXISTS (
            SELECT FROM pg_constraint AS k WHERE k.contype = 'f' AND k.conrelid = to_regclass(h."from") AND k.confrelid = c.oid) AS is_proven
       ) AS e
 CROSS JOIN LATERAL (
{with_relatives(c.oid)}
       ) AS node
  JOIN pg_class AS p ON p.oid = node.relid
 CROSS JOIN LATERAL pg_identify_object('pg_class'::regclass, p.oid, 0) AS named
 WHERE NOT (e.is_proven AND p.relowner = c.relowner)
   AND p.relowner NOT IN (
{trusted_roles($1)}
       )
