-- The role may undo what the migrations did. The setting sessiondb.undone holds the statements of those to be undone.
WITH owned AS (
    SELECT format('table %s', c.oid::regclass) AS object, c.relowner AS owner
      FROM sessiondb.installation AS i
      JOIN pg_namespace AS n ON n.nspname = i.platform_schema
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
     WHERE c.relname IN ('org_members', 'sessions', 'enrollments', 'submissions')
       AND current_setting('sessiondb.undone') ~ format('\m%s\M', c.relname)
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
 ORDER BY o.object
