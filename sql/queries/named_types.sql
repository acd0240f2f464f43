-- The types of roles that are not trusted that SQL text $1 casts to or that such a type uses, and the types that use another object of
-- such a role: a literal of a domain runs its CHECK already when the text is parsed. Also types in a schema of such a role, which may
-- rename it, and create another type with the name; in_schema is NULL for the others. $2 owns the platform's table enrollments. The text
-- is one that PostgreSQL wrote, under our search_path.
WITH named AS MATERIALIZED (
    SELECT t.oid
      FROM pg_type AS t
      JOIN pg_namespace AS n ON n.oid = t.typnamespace
     WHERE n.nspname <> 'pg_catalog'
       AND $1 ~ concat(E'(::|\\mRETURNING )', regexp_replace(format('%I.%I', n.nspname, t.typname), E'(\\W)', E'\\\\\\1', 'g'), E'(?!\\w)')
)
SELECT DISTINCT w.type_oid::regtype AS name, pg_get_userbyid(v.owner) AS role, NULL::name AS in_schema
  FROM named AS t
 CROSS JOIN LATERAL (
{reached('pg_type'::regclass, t.oid)}
       ) AS u
  JOIN (
{owned()}
       ) AS v ON v.classid = u.classid AND v.objid = u.objid
 CROSS JOIN LATERAL (SELECT CASE WHEN u.classid = 'pg_type'::regclass THEN u.objid ELSE t.oid END) AS w (type_oid)
  JOIN pg_type AS y ON y.oid = w.type_oid AND (y.typtype <> 'b' OR y.typelem = 0)  -- the array of a type belongs to the owner of that
 WHERE v.owner NOT IN (
{trusted_roles($2)}
       )
UNION
SELECT y.oid::regtype, pg_get_userbyid(n.nspowner), n.nspname
  FROM named AS t
  JOIN pg_type AS y ON y.oid = t.oid
  JOIN pg_namespace AS n ON n.oid = y.typnamespace
 WHERE n.nspname IS DISTINCT FROM current_setting('sessiondb.schema', true)
   AND n.nspowner NOT IN (
{trusted_roles($2)}
       )
