-- The functions that SQL expression $1 may call and that a role that is not trusted could have made, each with that role,
-- or with the owner of its schema if that is the stranger; $2 owns the platform's table enrollments. They would run with
-- the rights of the owner of sessions_of_staff().
--
-- All functions of a name count, whatever their arguments. A role that was allowed to create functions in a schema of a
-- trusted role is trusted there, unless it is the platform's schema, or every role may create objects in it: on hosted
-- backends auth.uid() belongs to a role that is no superuser, in a schema of one that is.
SELECT f.name, pg_get_userbyid(f.stranger) AS role
  FROM regexp_matches(replace($1, '"', ''), '(?:(\w+)\s*\.\s*)?(\w+)\s*\(', 'g') AS m (words)
  JOIN pg_proc AS p ON p.proname IN (m.words[2], lower(m.words[2]))
  JOIN pg_namespace AS n ON n.oid = p.pronamespace AND n.nspname NOT IN ('pg_catalog', 'pg_temp')
                        AND (m.words[1] IS NULL OR n.nspname IN (m.words[1], lower(m.words[1])))
 CROSS JOIN LATERAL (
        SELECT p.oid::regprocedure::text AS name,
               CASE WHEN n.nspowner NOT IN ({trusted_roles($2)}) THEN n.nspowner
                    WHEN p.proowner NOT IN ({trusted_roles($2)})
                     AND (n.nspname = current_setting('sessiondb.schema') OR has_schema_privilege('public', n.oid, 'CREATE')) THEN p.proowner
               END AS stranger
       ) AS f
 WHERE f.stranger IS NOT NULL
   -- without a schema, one that is looked up before these is not of pg_catalog
   AND (m.words[1] IS NOT NULL
        OR strpos(current_setting('sessiondb.search_path', true), '"' || replace(n.nspname, '"', '""') || '"') > 0)
 ORDER BY f.name
