-- No role that is not trusted owns code that runs when our commands write: a function that a trigger, a constraint, a
-- default, a policy or the type of a column calls, which its owner may replace, or a table whose foreign key refers to
-- ours, with the triggers there. What such a role created stays when TRIGGER and REFERENCES are revoked from it; check
-- grants finds only what is still granted.
--
-- Longer than a screen: a branch for each way in which code is called.
WITH used AS (
{tables_in_use(true)}
),
platform AS (
    SELECT ({right_owner(n.oid)}) AS table_owner, i.search_path, to_regprocedure('sessiondb.current_user_id()')::oid AS current_user_id
      FROM sessiondb.installation AS i
      JOIN pg_namespace AS n ON n.nspname = current_setting('sessiondb.schema')
),
trusted AS (
    SELECT t.oid
      FROM platform AS h
     CROSS JOIN LATERAL (
{trusted_roles(h.table_owner)}
           ) AS t
),
code AS (
{code_of_strangers()}
)
SELECT 'code_of_others' AS "check", 'warning' AS level, f.object,
       format('It uses %s, who may replace it; it runs with the rights of each role that writes to %s.',
              string_agg(DISTINCT f.what, ', '), f.relid::regclass) AS detail,
       CASE WHEN count(DISTINCT f.what) = 1 AND min(f.takeover) IS NOT NULL THEN
                format('As a superuser, take the function over in a transaction and read it before COMMIT: %s', min(f.takeover))
                    || coalesce(E'\nOr drop the ' || f.type || ': ' || d.statement, '')
            ELSE 'Do not take over what it uses, which could act as its new owner: '
                || coalesce(d.statement, format('create the %s again without it.', f.type)) END AS fix
  FROM code AS f
 CROSS JOIN LATERAL (SELECT ({drop_statement(f.of_class, f.of_object)}) AS statement) AS d
 -- that of the partitioned table is found; a CHECK that was there before ATTACH may have the same words, and call another function
 WHERE NOT (({is_of_parent(f.of_class, f.of_object)}) AND EXISTS (
        SELECT FROM code AS g
         WHERE (g.type, g.classid, g.objid) = (f.type, f.classid, f.objid) AND g.relid <> f.relid
           AND g.relid IN (SELECT a.relid FROM pg_partition_ancestors(f.relid) AS a (relid))))
 GROUP BY f.object, f.type, f.relid, d.statement
UNION ALL
SELECT DISTINCT 'code_of_others', 'warning', format('foreign key %s of %s', k.conname, c.oid::regclass),
       format('This table of role %I refers to %s: it may prevent the deletion of a row and, before PostgreSQL 18, '
              'its triggers run with the rights of the role that deletes the row or changes its key.',
                  pg_get_userbyid(c.relowner), k.confrelid::regclass),
       format('ALTER TABLE %s DROP CONSTRAINT %I', c.oid::regclass, k.conname)
  FROM used AS u
  JOIN pg_constraint AS k ON k.confrelid = u.relid AND k.contype = 'f' AND k.conparentid = 0
  JOIN pg_class AS c ON c.oid = k.conrelid
 WHERE u.changes_keys
   AND c.relowner NOT IN (SELECT t.oid FROM trusted AS t)
   AND NOT pg_has_role(c.relowner, u.relowner, 'USAGE')
UNION ALL
SELECT DISTINCT 'code_of_others', 'error', f.name,
       format('The policies for staff use %s of role %I, with the rights of each role that reads.', f.name, f.role),
       'Give sessiondb apply --staff another expression with --current-user, or drop the policies with --staff '''''
  FROM platform AS h
 CROSS JOIN LATERAL (
{objects_of_others(h.current_user_id, h.table_owner)}
       ) AS f
UNION ALL
SELECT DISTINCT 'code_of_others', 'warning', e.object,
       format('It may run any statement, with the rights of each role that writes to %s: %s', u.relid::regclass, e.definition),
       ({drop_statement(e.classid, e.objid)})
  FROM used AS u
 CROSS JOIN LATERAL (
{expressions(u.relid)}
       ) AS e
 WHERE ({runs_text(e.definition)})
   AND NOT (({is_of_parent(e.classid, e.objid)}) AND (SELECT c.relispartition FROM pg_class AS c WHERE c.oid = u.relid))
UNION ALL
-- a trigger has no owner: who created it is not known
SELECT 'code_of_others', w.level, format('trigger %I on %s', t.tgname, t.tgrelid::regclass),
       format('%s, with the rights of each role that writes to %s: %s', w.what, t.tgrelid::regclass, pg_get_triggerdef(t.oid)),
       format('If it is not yours: DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass)
  FROM pg_trigger AS t
 CROSS JOIN LATERAL (
{texts_of_trigger(t.oid)}
       ) AS w
 WHERE t.tgrelid IN (SELECT u.relid FROM used AS u)
   AND t.tgparentid = 0
   AND NOT EXISTS (SELECT FROM code AS f WHERE f.of_class = 'pg_trigger'::regclass AND f.of_object = t.oid)
UNION ALL
-- EXECUTE on it is needed only for CREATE TRIGGER; an archive of ours may have been given away
SELECT 'code_of_others', 'error', format('trigger %I on %s', t.tgname, c.oid::regclass),
       format('It runs function %s with the rights of its owner on a table of role %I, which can so learn the sessions of any '
              'user and run code of its own as that owner.',
              p.oid::regprocedure, pg_get_userbyid(c.relowner)),
       format('DROP TRIGGER %I ON %s', t.tgname, c.oid::regclass)
  FROM pg_trigger AS t
  JOIN pg_proc AS p ON p.oid = t.tgfoid AND p.pronamespace = to_regnamespace('sessiondb') AND p.prosecdef
  JOIN pg_class AS c ON c.oid = t.tgrelid
 WHERE t.tgparentid = 0
   AND c.relowner NOT IN (SELECT r.oid FROM trusted AS r)
   AND c.oid NOT IN (SELECT u.relid FROM used AS u)
   AND EXISTS (SELECT FROM platform AS h WHERE h.table_owner IS NOT NULL)  -- or it is not known who is trusted
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
  JOIN pg_proc AS p ON p.proname = 'get_user_session_for_course'
      AND p.pronamespace = to_regnamespace(quote_ident(current_setting('sessiondb.schema')))
 WHERE p.proowner NOT IN (SELECT t.oid FROM trusted AS t)
 ORDER BY object, detail
