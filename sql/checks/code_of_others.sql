-- No role that is not trusted owns code that runs when our commands write: the function of a trigger, which its owner may
-- replace, or a table whose foreign key refers to ours, with the triggers there. What such a role created stays when
-- TRIGGER and REFERENCES are revoked from it; check grants finds only what is still granted.
WITH used AS (
    SELECT node.relid, c.relname, c.relowner
      FROM pg_class AS c
     CROSS JOIN LATERAL (SELECT c.oid AS relid UNION SELECT t.relid FROM pg_partition_tree(c.oid) AS t) AS node
     WHERE c.relnamespace = to_regnamespace(quote_ident(current_setting('sessiondb.schema')))
       AND c.relname IN ('orgs', 'org_members', 'sessions', 'enrollments', 'submissions')
),
code (relid, owner, object, detail, fix) AS (
    SELECT u.relid, p.proowner,
           format('trigger %s on %s', t.tgname, t.tgrelid::regclass),
           format('It calls function %s of role %I, who may replace it; it runs with the rights of each role that writes to %s.',
                  p.oid::regprocedure, pg_get_userbyid(p.proowner), t.tgrelid::regclass),
           format('Read the function, then run ALTER FUNCTION %s OWNER TO %I, or DROP TRIGGER %I ON %s',
                  p.oid::regprocedure, pg_get_userbyid(u.relowner), t.tgname, t.tgrelid::regclass)
      FROM used AS u
      JOIN pg_trigger AS t ON t.tgrelid = u.relid AND NOT t.tgisinternal AND t.tgparentid = 0
      JOIN pg_proc AS p ON p.oid = t.tgfoid
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
SELECT 'code_of_others' AS "check", 'warning' AS level, f.object, f.detail, f.fix
  FROM code AS f
  JOIN pg_class AS c ON c.oid = f.relid
 WHERE NOT EXISTS (
        SELECT FROM used AS h
         CROSS JOIN LATERAL (
{trusted_roles(h.relowner)}
               ) AS t
         WHERE h.relname = 'enrollments' AND t.oid = f.owner)
   -- the owner of the table, and who may act as that role, can do anything in any case
   AND NOT pg_has_role(f.owner, c.relowner, 'USAGE')
UNION ALL
SELECT 'code_of_others', 'error', format('function %s', f.name),
       format('The policies for staff call function %s of role %I, with the rights of the owner of sessiondb.', f.name, f.role),
       'Give sessiondb apply --staff another expression with --current-user, or drop the policies with --staff '''''
  FROM (SELECT DISTINCT u.relowner FROM used AS u WHERE u.relname = 'enrollments') AS h
 CROSS JOIN (SELECT to_jsonb(i) -> 'staff' ->> 'current_user' AS expression FROM sessiondb.installation AS i) AS i
 CROSS JOIN LATERAL (
{functions_of_others(i.expression, h.relowner)}
       ) AS f
 ORDER BY object
