-- The role that owns the trigger functions has the rights that they need: if a right was revoked, or a table was given to
-- another owner, every INSERT fails or finds no session.
WITH owner AS (
    SELECT p.proowner AS oid, pg_get_userbyid(p.proowner) AS name
      FROM pg_proc AS p
     WHERE p.pronamespace = to_regnamespace('sessiondb') AND p.proname IN ('check_session', 'link_submission')
     ORDER BY p.proname DESC
     LIMIT 1
),
needed (table_oid, privilege, column_name) AS (
    SELECT to_regclass(format('%I.%I', i.platform_schema, n.table_name))::oid, n.privilege, n.column_name
      FROM sessiondb.installation AS i
     CROSS JOIN (
            SELECT r.table_name, 'SELECT', r.column_name
              FROM (
{rule_columns()}
                   ) AS r (table_name, column_name, kind)
             WHERE r.table_name IN ('org_members', 'sessions') OR (r.table_name, r.kind) = ('enrollments', 'uuid')
            UNION ALL
            -- a lock of a row asks for it
            VALUES ('sessions', 'UPDATE', 'id')
           ) AS n (table_name, privilege, column_name)
    UNION ALL
    -- on the path to the course, the tables that the previous one refers to
    SELECT to_regclass(j.step ->> 'from'), 'SELECT', c.name
      FROM sessiondb.installation AS i
     CROSS JOIN LATERAL jsonb_array_elements(i.course_joins) WITH ORDINALITY AS j (step, place)
     CROSS JOIN LATERAL jsonb_array_elements_text(j.step -> 'columns') AS c (name)
     WHERE j.place > 1
    UNION ALL
    SELECT to_regclass(j.step ->> 'to'), 'SELECT', c.name
      FROM sessiondb.installation AS i
     CROSS JOIN LATERAL jsonb_array_elements(i.course_joins) WITH ORDINALITY AS j (step, place)
     CROSS JOIN LATERAL jsonb_array_elements_text(j.step -> 'keys') AS c (name)
     WHERE j.place < jsonb_array_length(i.course_joins) OR j.step -> 'keys' <> '["id"]'
)
SELECT 'owner_rights' AS "check", 'error' AS level, f.object,
       format('Role %I, which owns the trigger functions, has no %s on %s, so INSERTs fail.', o.name, f.privilege, f.object) AS detail,
       format('GRANT %s ON %s TO %I', f.privilege, f.object, o.name) AS fix
  FROM owner AS o
 CROSS JOIN LATERAL (
        SELECT format('SCHEMA %I', n.nspname) AS object, 'USAGE' AS privilege
          FROM pg_namespace AS n
         WHERE NOT has_schema_privilege(o.oid, n.oid, 'USAGE')
           AND (n.nspname IN (SELECT i.platform_schema FROM sessiondb.installation AS i UNION ALL SELECT 'sessiondb')
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
          JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = r.column_name AND NOT a.attisdropped
         WHERE CASE r.privilege WHEN 'UPDATE' THEN NOT has_any_column_privilege(o.oid, c.oid, 'UPDATE')
                                ELSE NOT has_column_privilege(o.oid, c.oid, a.attnum, r.privilege) END
       ) AS f
 ORDER BY f.object, f.privilege
