-- The role may undo what the migrations did. The setting sessiondb.undone holds the numbers of those to be undone.
WITH owned AS (
    SELECT format('table %s', c.oid::regclass) AS object, c.relowner AS owner
      FROM pg_namespace AS n
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
     WHERE n.nspname = current_setting('sessiondb.schema')
       AND c.relname IN (
            SELECT t.name
              FROM sessiondb.objects AS o
             -- a foreign key is dropped from both of its tables
             CROSS JOIN LATERAL (VALUES (o.parent), (CASE o.kind WHEN 'constraint' THEN 'sessions' END)) AS t (name)
             WHERE o.kind <> 'function' AND o.origin <> 'found'
               AND o.migration = ANY (string_to_array(current_setting('sessiondb.undone'), ',')))
    UNION ALL
    SELECT 'schema sessiondb', n.nspowner
      FROM pg_namespace AS n
     WHERE n.nspname = 'sessiondb'
)
SELECT 'privileges' AS "check", 'error' AS level, o.object,
       format('Role %I is not the owner of %s, which belongs to %I.', current_user, o.object, pg_get_userbyid(o.owner)) AS detail,
       format('Connect as %I, or as a member of that role that inherits its privileges.', pg_get_userbyid(o.owner)) AS fix
  FROM owned AS o
 WHERE NOT pg_has_role(o.owner, 'USAGE')
UNION ALL
-- what is created there is given to its owner
SELECT 'privileges', 'error', 'schema sessiondb',
       format('Role %I may not set its role to %I, which owns schema sessiondb.', current_user, pg_get_userbyid(o.owner)),
       format('Connect as %I, or: GRANT %I TO %I WITH SET TRUE', pg_get_userbyid(o.owner), pg_get_userbyid(o.owner), current_user)
  FROM owned AS o
 WHERE o.object = 'schema sessiondb' AND pg_has_role(o.owner, 'USAGE') AND NOT {may_set_role(o.owner)}
 ORDER BY object
