-- The functions that owner $1 of the trigger functions may not execute, though they run as that role.
-- WITH: needed (needed_rights.sql), used (tables_in_use.sql)
SELECT 'ALL ROUTINES IN SCHEMA sessiondb' AS object, 'EXECUTE' AS privilege, 'INSERTs fail' AS effect
  FROM pg_proc AS p
 WHERE p.pronamespace = to_regnamespace('sessiondb') AND NOT has_function_privilege($1, p.oid, 'EXECUTE')
UNION
-- of an operator of the keys, which belongs to an extension
SELECT format('FUNCTION %s', p.oprcode::regprocedure), 'EXECUTE', 'INSERTs fail'
  FROM pg_operator AS p
  JOIN pg_namespace AS n ON n.oid = p.oprnamespace AND n.nspname <> 'pg_catalog'
 WHERE NOT has_function_privilege($1, p.oprcode, 'EXECUTE')
   AND EXISTS (
        SELECT FROM pg_proc AS f
         WHERE f.pronamespace = to_regnamespace('sessiondb') AND f.proname IN ('link_submission', 'check_session')
           AND strpos(f.prosrc, format('OPERATOR(%I.%s)', n.nspname, p.oprname)) > 0)
   AND EXISTS (
        SELECT FROM pg_attribute AS a
         CROSS JOIN pg_type AS y
          JOIN pg_namespace AS m ON m.oid = y.typnamespace
         WHERE a.attrelid IN (SELECT r.table_oid FROM needed AS r) AND a.attnum > 0 AND NOT a.attisdropped
           -- not as regtype, for which who asks needs USAGE on the schema
           AND y.oid IN (p.oprleft, p.oprright) AND format('%I.%I', m.nspname, y.typname) = ({base_type(a.atttypid)}))
UNION
-- of what the server evaluates as that role: a policy where row level security is forced for it, and where it writes a CHECK, also of
-- a domain, an index, a generated column and the condition of a trigger, or rewrites by a rule
SELECT format('FUNCTION %s', p.oid::regprocedure), 'EXECUTE', 'INSERTs, a backfill or the deletion of a session fail'
  FROM used AS u
  JOIN pg_class AS c ON c.oid = u.relid
 CROSS JOIN LATERAL (
        SELECT 'pg_class'::regclass AS catalog, u.relid AS oid
        UNION ALL
        SELECT 'pg_type'::regclass, t.type_oid
          FROM (
{types_of_columns(u.relid)}
               ) AS t
         WHERE u.is_linked
       ) AS part
 CROSS JOIN LATERAL (
{used_code(part.catalog, part.oid)}
       ) AS f
  JOIN pg_proc AS p ON f.classid = 'pg_proc'::regclass AND p.oid = f.objid
 WHERE NOT has_function_privilege($1, p.oid, 'EXECUTE')
   AND (u.is_linked AND (f.of_class IN ('pg_constraint'::regclass, 'pg_class'::regclass, 'pg_rewrite'::regclass)
                         OR f.of_class = 'pg_trigger'::regclass AND p.prorettype <> 'trigger'::regtype
                         OR EXISTS (
                            SELECT FROM pg_attrdef AS d JOIN pg_attribute AS a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
                             WHERE f.of_class = 'pg_attrdef'::regclass AND d.oid = f.of_object AND a.attgenerated <> ''))
        OR f.of_class = 'pg_policy'::regclass AND c.relrowsecurity AND (c.relforcerowsecurity OR c.relowner <> $1))
