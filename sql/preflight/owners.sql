-- Nobody who is not trusted anyway owns what our functions are made of, or can have his code run by them.
--
-- Longer than a screen: a branch for each thing that must belong to somebody who is trusted.
WITH platform AS (
    SELECT n.oid, n.nspname, n.nspowner, c.relowner AS table_owner,
           (SELECT r.rolsuper FROM pg_roles AS r WHERE r.oid = c.relowner) AS table_owner_is_superuser,
           (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user) AS is_superuser
      FROM pg_namespace AS n
      JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = 'enrollments'
     WHERE n.nspname = current_setting('sessiondb.schema')
),
-- Everybody but superusers, whoever may act for the owner of the tables, the owners of the schema and of the database,
-- and those whom we may act for; a superuser may act for all.
stranger AS (
    SELECT r.oid, r.rolname
      FROM platform AS h
      JOIN pg_database AS d ON d.datname = current_database()
      JOIN pg_roles AS r ON NOT (r.rolsuper OR pg_has_role(r.oid, h.table_owner, 'MEMBER')
                                 OR r.oid IN (h.nspowner, d.datdba) OR r.rolname = 'pg_database_owner'
                                 OR NOT h.is_superuser AND pg_has_role(r.oid, 'USAGE'))
)
SELECT 'owners' AS "check", f.level, f.object, f.detail, f.fix
  FROM platform AS h
 CROSS JOIN LATERAL (
        SELECT 'error' AS level, o.object,
               format('%s belongs to role %I, who could change it after we have made use of it.', o.object, s.rolname) AS detail,
               format('ALTER %s OWNER TO %I, after a look at it', o.object, pg_get_userbyid(h.table_owner)) AS fix
          FROM (
                SELECT format('SCHEMA %I', n.nspname) AS object, n.nspowner AS owner
                  FROM pg_namespace AS n WHERE n.nspname = 'sessiondb'
                UNION ALL
                SELECT format('TABLE %s', c.oid::regclass), c.relowner
                  FROM pg_class AS c WHERE c.relnamespace = to_regnamespace('sessiondb') AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
                UNION ALL
                SELECT format('ROUTINE %s', p.oid::regprocedure), p.proowner
                  FROM pg_proc AS p
                 WHERE p.pronamespace = to_regnamespace('sessiondb')
                    OR (p.pronamespace = h.oid AND p.proname = 'get_user_session_for_course'
                        AND oidvectortypes(p.proargtypes) = 'uuid, uuid')
                UNION
                -- what our functions read: a view in its place, or a cast of its column, would run his code
                SELECT format('TABLE %s', c.oid::regclass), c.relowner
                  FROM pg_class AS c
                 WHERE c.relnamespace = h.oid AND c.relname IN ('org_members', 'sessions', 'submissions')
                    OR c.oid IN (SELECT unnest(w.tables) FROM ({course_paths()}) AS w)
               ) AS o
          JOIN stranger AS s ON s.oid = o.owner
         WHERE h.is_superuser
        UNION ALL
        SELECT 'error', format('VIEW %s', c.oid::regclass),
               format('View %s belongs to role %I, who could have it run code with the rights of who reads it.', c.oid::regclass, s.rolname),
               format('ALTER VIEW %s OWNER TO %I, after a look at it', c.oid::regclass, pg_get_userbyid(h.table_owner))
          FROM pg_class AS c
          JOIN stranger AS s ON s.oid = c.relowner
         WHERE c.relnamespace = h.oid
           AND c.relname = 'orgs'
           AND c.relkind = 'v'
        UNION ALL
        SELECT 'warning', format('%I', current_user),
               format('Role %I is a superuser, so the functions of the triggers will act with the rights of one.', current_user),
               format('Connect as %I, who owns the tables, or put SET ROLE into the DSN: options=-crole=%s',
                      pg_get_userbyid(h.table_owner), pg_get_userbyid(h.table_owner))
         WHERE h.is_superuser AND NOT h.table_owner_is_superuser
       ) AS f
 ORDER BY f.level, f.object
