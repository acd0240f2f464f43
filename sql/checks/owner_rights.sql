-- The role that owns the trigger functions has the rights that they need: if a right was revoked, or a table was given to
-- another owner, every INSERT fails or finds no session.
WITH owner AS (
    SELECT p.proowner AS oid, pg_get_userbyid(p.proowner) AS name
      FROM pg_proc AS p
     WHERE p.pronamespace = to_regnamespace('sessiondb') AND p.proname IN ('check_session', 'link_submission')
     ORDER BY p.proname DESC
     LIMIT 1
),
needed (table_oid, privilege) AS (
    SELECT to_regclass(format('%I.%I', i.platform_schema, n.table_name))::oid, n.privilege
      FROM sessiondb.installation AS i
     CROSS JOIN (VALUES ('org_members', 'SELECT'), ('sessions', 'SELECT'), ('sessions', 'UPDATE'), ('enrollments', 'SELECT')) AS n (table_name, privilege)
    UNION
    SELECT unnest(p.tables), 'SELECT'
      FROM sessiondb.installation AS i
      JOIN ({course_paths()}) AS p ON p.pieces = i.course_pieces
)
SELECT 'owner_rights' AS "check", 'error' AS level, f.object,
       format('Role %I, which owns the trigger functions, has no %s on %s, so INSERTs fail.', o.name, f.privilege, f.object) AS detail,
       format('GRANT %s ON %s TO %I', f.privilege, f.object, o.name) AS fix
  FROM owner AS o
 CROSS JOIN LATERAL (
        SELECT format('SCHEMA %I', n.nspname) AS object, 'USAGE' AS privilege
          FROM pg_namespace AS n
         WHERE NOT has_schema_privilege(o.oid, n.oid, 'USAGE')
           AND (n.nspname = 'sessiondb'
                OR EXISTS (SELECT FROM needed AS r JOIN pg_class AS c ON c.oid = r.table_oid WHERE c.relnamespace = n.oid)
                -- of an extension, for the type of a key
                OR EXISTS (
                    SELECT FROM pg_proc AS p
                     WHERE p.pronamespace = to_regnamespace('sessiondb')
                       AND p.proname IN ('find_session', 'find_enrolled_session', 'link_enrollment', 'link_submission', 'check_session')
                       AND strpos(p.prosrc, format('OPERATOR(%I.', n.nspname)) > 0))
        UNION
        SELECT 'ALL ROUTINES IN SCHEMA sessiondb', 'EXECUTE'
          FROM pg_proc AS p
         WHERE p.pronamespace = to_regnamespace('sessiondb') AND NOT has_function_privilege(o.oid, p.oid, 'EXECUTE')
        UNION
        SELECT c.oid::regclass::text, r.privilege
          FROM needed AS r
          JOIN pg_class AS c ON c.oid = r.table_oid
         WHERE NOT has_any_column_privilege(o.oid, c.oid, r.privilege)
       ) AS f
 ORDER BY f.object, f.privilege
