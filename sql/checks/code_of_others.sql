-- No role that is not trusted owns code that runs when our commands write: a function that a trigger, a constraint, a
-- default, a policy or the type of a column calls, which its owner may replace, or a table whose foreign key refers to
-- ours, with the triggers there. What such a role created stays when TRIGGER and REFERENCES are revoked from it; check
-- grants finds only what is still granted.
--
-- Longer than a screen: a branch for each way in which code is called.
WITH used AS (
    SELECT DISTINCT node.relid, c.relname, c.relowner
      FROM pg_class AS c
     CROSS JOIN LATERAL (
{with_relatives(c.oid)}
           ) AS node
     WHERE c.relnamespace = to_regnamespace(quote_ident(current_setting('sessiondb.schema')))
       AND c.relname IN ('orgs', 'org_members', 'courses', 'sessions', 'enrollments', 'submissions')
        OR c.oid IN (SELECT to_regclass(j.step ->> 'to') FROM sessiondb.installation AS i CROSS JOIN jsonb_array_elements(i.course_joins) AS j (step))
        OR c.oid IN (
            SELECT w.relid
              FROM (SELECT to_regnamespace(quote_ident(current_setting('sessiondb.schema')))::oid AS oid) AS h
             CROSS JOIN LATERAL (
{changed_by_deletes(h.oid)}
                   ) AS w)
        OR c.oid IN (
            SELECT u.oid
              FROM (SELECT current_setting('sessiondb.schema') AS schema) AS i
             CROSS JOIN LATERAL (
{tables_with_names(i.schema)}
                   ) AS u)
),
platform AS (
    SELECT DISTINCT u.relowner AS table_owner, i.search_path, to_regprocedure('sessiondb.current_user_id()')::oid AS current_user_id
      FROM used AS u
     CROSS JOIN sessiondb.installation AS i
     WHERE u.relname = 'enrollments'
),
trusted AS (
    SELECT t.oid
      FROM platform AS h
     CROSS JOIN LATERAL (
{trusted_roles(h.table_owner)}
           ) AS t
),
part AS (
    SELECT u.relid, 'pg_class'::regclass AS catalog, u.relid AS oid FROM used AS u
    UNION
    SELECT u.relid, 'pg_type'::regclass, t.type_oid
      FROM used AS u
     CROSS JOIN LATERAL (
{types_of_columns(u.relid)}
           ) AS t
),
code (relid, owner, object, detail, fix) AS (
    SELECT e.relid, p.proowner, f.object,
           format('It calls function %s of role %I, who may replace it; it runs with the rights of each role that writes to %s.',
                  p.oid::regprocedure, pg_get_userbyid(p.proowner), e.relid::regclass),
           CASE WHEN p.prosecdef THEN format('Drop this %s. Do not take the function over: it would get the rights of its new owner.', f.type)
                ELSE format('Drop this %s, or take the function over in a transaction and read it before COMMIT: ALTER FUNCTION %s OWNER TO %I',
                            f.type, p.oid::regprocedure, pg_get_userbyid(c.relowner))
           END || CASE WHEN f.type IN ('trigger', 'policy', 'rule')
                           THEN format(E'\nOr drop the %s: DROP %s', f.type, overlay(f.object PLACING upper(f.type) FROM 1)) ELSE '' END
      FROM part AS e
      JOIN pg_class AS c ON c.oid = e.relid
     CROSS JOIN LATERAL (
{called_functions(e.catalog, e.oid)}
           ) AS f
      JOIN pg_proc AS p ON p.oid = f.oid
     -- in a schema of a trusted role, one that a role with CREATE there made is trusted, but not on a trigger
     WHERE f.type = 'trigger'
        OR NOT has_schema_privilege(p.proowner, p.pronamespace, 'CREATE')
        OR p.pronamespace IN (
            SELECT s.oid
              FROM platform AS h
             CROSS JOIN LATERAL (
{open_schemas(h.table_owner)}
                   ) AS s)
    UNION ALL
    SELECT u.relid, c.relowner,
           format('foreign key %s of %s', k.conname, c.oid::regclass),
           format('This table of role %I refers to %s: it may prevent the deletion of a row and, before PostgreSQL 18, '
                  'its triggers run with the rights of the role that deletes the row.', pg_get_userbyid(c.relowner), k.confrelid::regclass),
           format('ALTER TABLE %s DROP CONSTRAINT %I', c.oid::regclass, k.conname)
      FROM used AS u
      JOIN pg_constraint AS k ON k.confrelid = u.relid AND k.contype = 'f' AND k.conparentid = 0
      JOIN pg_class AS c ON c.oid = k.conrelid
     WHERE u.relname IN ('sessions', 'org_members')
)
SELECT DISTINCT 'code_of_others' AS "check", 'warning' AS level, f.object, f.detail, f.fix
  FROM code AS f
  JOIN used AS u ON u.relid = f.relid
 WHERE f.owner NOT IN (SELECT t.oid FROM trusted AS t)
   -- the owner of the table, and who may act as that role, can do anything in any case
   AND NOT pg_has_role(f.owner, u.relowner, 'USAGE')
UNION ALL
SELECT DISTINCT 'code_of_others', 'error', f.name,
       format('The policies for staff use %s of role %I, with the rights of each role that reads.', f.name, f.role),
       'Give sessiondb apply --staff another expression with --current-user, or drop the policies with --staff '''''
  FROM platform AS h
 CROSS JOIN LATERAL (
{objects_of_others(h.current_user_id, h.table_owner)}
       ) AS f
UNION ALL
SELECT 'code_of_others', 'warning', format('trigger %I on %s', t.tgname, t.tgrelid::regclass),
       format('Its condition may run any statement, with the rights of each role that writes to %s: %s', t.tgrelid::regclass, pg_get_triggerdef(t.oid)),
       format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass)
  FROM pg_trigger AS t
 WHERE t.tgrelid IN (SELECT u.relid FROM used AS u)
   AND t.tgparentid = 0
   AND (({runs_text(t.oid)})
        OR EXISTS (
            SELECT
              FROM pg_depend AS d
              JOIN (
{owned()}
                   ) AS w ON w.classid = d.refclassid AND w.objid = d.refobjid
             WHERE d.classid = 'pg_trigger'::regclass AND d.objid = t.oid AND t.tgqual IS NOT NULL
               AND d.refclassid IN ('pg_operator'::regclass, 'pg_type'::regclass, 'pg_collation'::regclass)
               AND w.owner NOT IN (SELECT r.oid FROM trusted AS r)))
UNION ALL
-- EXECUTE on it is needed only for CREATE TRIGGER; an archive of ours may have been given away
SELECT 'code_of_others', 'error', format('trigger %I on %s', t.tgname, c.oid::regclass),
       format('It runs function %s with the rights of its owner on a table of role %I, which can so learn the sessions of any user and run code of its own as that owner.',
              p.oid::regprocedure, pg_get_userbyid(c.relowner)),
       format('DROP TRIGGER %I ON %s', t.tgname, c.oid::regclass)
  FROM pg_trigger AS t
  JOIN pg_proc AS p ON p.oid = t.tgfoid AND p.pronamespace = to_regnamespace('sessiondb') AND p.prosecdef
  JOIN pg_class AS c ON c.oid = t.tgrelid
 WHERE t.tgparentid = 0
   AND c.relowner NOT IN (SELECT r.oid FROM trusted AS r)
   AND c.oid NOT IN (SELECT u.relid FROM used AS u)
   AND EXISTS (SELECT FROM platform)  -- or it is not known who is trusted
UNION ALL
SELECT 'code_of_others', 'error', s.object, s.detail, s.fix
  FROM platform AS h
 CROSS JOIN LATERAL (
{schemas_of_others(h.search_path, h.table_owner, 'the trigger functions', 'Run apply')}
       ) AS s
UNION ALL
-- the arguments that an application sends may fit it better
SELECT 'code_of_others', 'warning', format('function %s', p.oid::regprocedure),
       format('Applications that call get_user_session_for_course() may call this function of role %I instead.', pg_get_userbyid(p.proowner)),
       format('DROP ROUTINE %s', p.oid::regprocedure)
  FROM platform AS h
  JOIN pg_proc AS p ON p.proname = 'get_user_session_for_course' AND p.pronamespace = to_regnamespace(quote_ident(current_setting('sessiondb.schema')))
 WHERE p.proowner NOT IN (SELECT t.oid FROM trusted AS t)
 ORDER BY object, detail
