-- The names of our objects are free, or used by equivalent objects.
WITH platform AS (
    SELECT n.oid, n.nspname FROM pg_namespace AS n WHERE n.nspname = current_setting('sessiondb.schema')
)
SELECT 'names' AS "check", 'error' AS level, f.object, f.detail, f.fix
  FROM (
{taken_names_of_indexes()}
        UNION ALL
        (
{taken_names_of_keys()}
        )
        UNION ALL
{taken_names_of_triggers()}
        UNION ALL
        -- compile() would replace part of such a name
        SELECT w.object,
               format('%s contains %s, which sessiondb replaces when it compiles its functions.', w.object, m.text[1]),
               w.fix
          FROM (
                SELECT format('Schema %I', h.nspname) AS object, h.nspname::text AS names,
                       format('ALTER SCHEMA %I RENAME TO another_name', h.nspname) AS fix
                  FROM platform AS h
                UNION ALL
                SELECT format('Course path %s', p.path), array_to_string(p.pieces, ' '), 'Rename that table, column or schema.'
                  FROM ({course_paths()}) AS p
               ) AS w
         CROSS JOIN LATERAL regexp_match(w.names,
                                         'course_of\(\w+\)|SET search_path FROM CURRENT|\m(?:staff_user|staff_roles|readers_of_\w+)\M') AS m (text)
         WHERE m.text IS NOT NULL
        UNION ALL
        SELECT p.oid::regprocedure::text,
               format('Function %s exists and belongs to %I, so role %I may not replace it.', p.oid::regprocedure,
                      pg_get_userbyid(p.proowner), current_user),
               -- another owner would give a SECURITY DEFINER function the rights of that role
               format('Inspect it, then drop it or give it another name: ALTER ROUTINE %s RENAME TO %I', p.oid::regprocedure, 'old_' || p.proname)
          FROM platform AS h
          JOIN pg_proc AS p ON p.pronamespace = h.oid AND p.proname = 'get_user_session_for_course'
          LEFT JOIN pg_class AS e ON e.relnamespace = h.oid AND e.relname = 'enrollments'
         WHERE oidvectortypes(p.proargtypes) = 'uuid, uuid'
           AND (NOT pg_has_role(p.proowner, 'USAGE')
                -- who may grant a role can give the current one its rights, and take them away again
                OR p.proowner NOT IN (
                    SELECT n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'sessiondb'
                    UNION ALL
{trusted_roles(e.relowner)}
                   ))
       ) AS f
 ORDER BY f.object
