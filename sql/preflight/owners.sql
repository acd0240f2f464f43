-- Only trusted roles own our functions and the objects that these read, or can make our functions run their code.
--
-- Longer than a screen: a branch for each thing that must belong to a trusted role.
WITH platform AS (
    SELECT n.oid, n.nspname, o.oid AS table_owner, o.rolsuper AS table_owner_is_superuser,
           (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user) AS is_superuser
      FROM pg_namespace AS n
      JOIN pg_roles AS o ON o.oid = ({right_owner(n.oid)})
     WHERE n.nspname = current_setting('sessiondb.schema')
),
-- All roles that are not trusted; a group of a trusted role has other members.
stranger AS (
    SELECT r.oid, r.rolname
      FROM platform AS h
      JOIN pg_roles AS r ON r.oid NOT IN (
{trusted_roles(h.table_owner)}
           )
),
-- the tables that are written to, and their relatives: a trigger on one runs with the rights of the role that writes
written AS (
    SELECT node.relid
      FROM platform AS h
      JOIN pg_class AS c ON c.relnamespace = h.oid AND c.relkind <> 'v'
                        AND c.relname IN ('orgs', 'org_members', 'sessions', 'enrollments', 'submissions')
     CROSS JOIN LATERAL (
{with_relatives(c.oid)}
           ) AS node
),
-- the tables on the path to the course
read AS (
    SELECT s.relid AS root, node.relid
      FROM ({course_paths()}) AS w
     CROSS JOIN unnest(w.tables) AS s (relid)
     CROSS JOIN LATERAL (
{with_relatives(s.relid)}
           ) AS node
)
SELECT 'owners' AS "check", f.level, f.object, f.detail, f.fix
  FROM platform AS h
 CROSS JOIN LATERAL (
        SELECT 'error' AS level, o.object,
               format('%s belongs to role %I, which could change it after sessiondb has checked it.', o.object, s.rolname) AS detail,
               -- another owner would give a SECURITY DEFINER function the rights of that role
               CASE WHEN starts_with(o.object, 'ROUTINE')
                        THEN format('Inspect it, then drop it or give it another name: ALTER %s RENAME TO old_get_user_session_for_course', o.object)
                    ELSE format('Inspect it, then: ALTER %s OWNER TO %I', o.object, pg_get_userbyid(h.table_owner))
               END AS fix
          FROM (
                SELECT format('SCHEMA %I', n.nspname) AS object, n.nspowner AS owner, false AS is_written, false AS is_named
                  FROM pg_namespace AS n WHERE n.nspname = 'sessiondb'
                UNION ALL
                SELECT format('TABLE %s', c.oid::regclass), c.relowner, false, false
                  FROM pg_class AS c WHERE c.relnamespace = to_regnamespace('sessiondb') AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
                UNION ALL
                SELECT format('ROUTINE %s', p.oid::regprocedure), p.proowner, false, false
                  FROM pg_proc AS p
                 WHERE p.pronamespace = to_regnamespace('sessiondb')
                    OR (p.pronamespace = h.oid AND p.proname = 'get_user_session_for_course'
                        AND oidvectortypes(p.proargtypes) = 'uuid, uuid')
                UNION
                -- what our functions read: its owner could replace it by a view, or create a cast of its column, that runs code
                SELECT format('TABLE %s', c.oid::regclass), c.relowner, c.oid IN (SELECT w.relid FROM written AS w),
                       -- on the path only by its name, so that another role may have created it, or a relative of another owner
                       EXISTS (
                            SELECT FROM read AS r
                             WHERE r.relid = c.oid
                               AND (c.relowner <> (SELECT t.relowner FROM pg_class AS t WHERE t.oid = r.root)
                                    OR c.oid = r.root AND NOT EXISTS (
                                        SELECT FROM pg_constraint AS k
                                         WHERE k.contype = 'f' AND k.confrelid = c.oid
                                           AND (k.conrelid IN (SELECT e.root FROM read AS e)
                                                OR k.conrelid = to_regclass(format('%I.submissions', h.nspname))))))
                  FROM pg_class AS c
                 WHERE c.oid IN (SELECT w.relid FROM written AS w UNION ALL SELECT r.relid FROM read AS r)
                UNION
                -- of a partition: its owner could put another schema in its place while the rows are linked
                SELECT format('SCHEMA %I', n.nspname), n.nspowner, false, true
                  FROM pg_class AS c
                  JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.oid <> h.oid
                 WHERE c.oid IN (SELECT w.relid FROM written AS w)
               ) AS o
          JOIN stranger AS s ON s.oid = o.owner
         -- the check privileges refuses those for which this role may not act
         WHERE h.is_superuser
            OR o.is_written AND pg_has_role(o.owner, 'USAGE')
            OR o.is_named
        UNION ALL
        SELECT 'error', format('VIEW %s', c.oid::regclass),
               format('View %s belongs to role %I, which could make it run code with the rights of any role that reads it.',
                      c.oid::regclass, s.rolname),
               format('Inspect it, then: ALTER VIEW %s OWNER TO %I', c.oid::regclass, pg_get_userbyid(h.table_owner))
          FROM pg_class AS c
          JOIN stranger AS s ON s.oid = c.relowner
         WHERE c.relnamespace = h.oid
           AND c.relname = 'orgs'
           AND c.relkind = 'v'
        UNION ALL
        SELECT 'warning', format('%I', current_user),
               format('Role %I is a superuser, so the trigger functions will run with superuser rights.', current_user),
               format('Connect as %I, which owns the tables.', pg_get_userbyid(h.table_owner))
         WHERE h.is_superuser AND NOT h.table_owner_is_superuser
           -- what is created in the schema of another role is given to it
           AND NOT EXISTS (SELECT FROM pg_namespace AS n JOIN pg_roles AS r ON r.oid = n.nspowner WHERE n.nspname = 'sessiondb' AND NOT r.rolsuper)
       ) AS f
 ORDER BY f.level, f.object
