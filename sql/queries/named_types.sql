-- The types of roles that are not trusted that SQL text $1 may name, or of which a type that it may name consists: a literal of such
-- a type runs the CHECK of a domain already when the text is parsed. $2 owns the platform's table enrollments.
--
-- A name that is not qualified may be one of a schema in the path of the connection.
WITH named AS MATERIALIZED (
    SELECT t.oid
      FROM pg_type AS t
      JOIN pg_namespace AS n ON n.oid = t.typnamespace
     WHERE n.nspname <> 'pg_catalog'
       AND $1 ~* concat('(?<!\w)', regexp_replace(replace(t.typname, '"', '""'), '(\W)', '\\\1', 'g'), '(?!\w)')
       AND (strpos(lower($1), lower(replace(n.nspname, '"', '""'))) > 0
            OR strpos(current_setting('sessiondb.platform_path'), format('"%s"', replace(n.nspname, '"', '""'))) > 0)
)
SELECT DISTINCT y.oid::regtype AS name, pg_get_userbyid(y.typowner) AS role
  FROM named AS t
 CROSS JOIN LATERAL (
{parts_of_type(t.oid)}
       ) AS p
  JOIN pg_type AS y ON y.oid = p.type_oid
 WHERE y.typcategory <> 'A'
   AND y.typowner NOT IN (
{trusted_roles($2)}
       )
