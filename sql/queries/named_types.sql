-- The types of roles that are not trusted that SQL text $1 casts to, or of which such a type consists, or whose CHECK calls a function of
-- such a role: a literal of that type runs the CHECK of a domain already when the text is parsed. $2 owns the platform's table enrollments. The text is one that PostgreSQL
-- wrote, under our search_path.
WITH named AS MATERIALIZED (
    SELECT t.oid
      FROM pg_type AS t
      JOIN pg_namespace AS n ON n.oid = t.typnamespace
     WHERE n.nspname <> 'pg_catalog'
       AND $1 ~ concat('(::|\mRETURNING )', regexp_replace(format('%I.%I', n.nspname, t.typname), '(\W)', '\\\1', 'g'), '(?!\w)')
)
SELECT DISTINCT y.oid::regtype AS name, pg_get_userbyid(w.owner) AS role
  FROM named AS t
 CROSS JOIN LATERAL (
{parts_of_type(t.oid)}
       ) AS p
  JOIN pg_type AS y ON y.oid = p.type_oid
 CROSS JOIN LATERAL (
        SELECT y.typowner
         UNION
        SELECT v.owner
          FROM (
{checks_of_type(y.oid)}
               ) AS q
          JOIN (
{owned()}
               ) AS v ON v.classid = q.classid AND v.objid = q.objid
       ) AS w (owner)
 WHERE (y.typtype <> 'b' OR y.typelem = 0)  -- the array of a type belongs to the owner of that
   AND w.owner NOT IN (
{trusted_roles($2)}
       )
