-- The role may do what the migrations do.
WITH platform AS (
    SELECT n.oid, n.nspname FROM pg_namespace AS n WHERE n.nspname = current_setting('sessiondb.schema')
),
-- with the partitions, which are altered with their table
owned AS (
    SELECT c.oid, c.oid::regclass::text AS full_name, pg_get_userbyid(c.relowner) AS owner
      FROM platform AS h
      JOIN pg_class AS root ON root.relnamespace = h.oid
     CROSS JOIN LATERAL ({with_partitions(root.oid)}) AS node
      JOIN pg_class AS c ON c.oid = node.relid
     WHERE root.relkind IN ('r', 'p')
       AND root.relname IN ('enrollments', 'submissions', 'sessions', 'org_members')
)
SELECT 'privileges' AS "check", 'error' AS level, f.object, f.detail, f.fix
  FROM (
        SELECT full_name AS object,
               format('Role %I is not the owner of table %s, which belongs to %I.', current_user, full_name, owner) AS detail,
               format('Connect as %I, or as a member of that role that inherits its privileges.', owner) AS fix
          FROM owned
         WHERE NOT pg_has_role(owner, 'USAGE')
        UNION
        -- what is created there is given to its owner
        SELECT 'schema sessiondb',
               format('Role %I may not set its role to %I, which owns schema sessiondb.', current_user, pg_get_userbyid(n.nspowner)),
               format('Connect as %I, or: GRANT %I TO %I WITH SET TRUE', pg_get_userbyid(n.nspowner), pg_get_userbyid(n.nspowner), current_user)
          FROM pg_namespace AS n
         WHERE n.nspname = 'sessiondb' AND pg_has_role(n.nspowner, 'USAGE') AND NOT {may_set_role(n.nspowner)}
        UNION
        -- the triggers follow the path to the course as the role that applies; another role may own a table on it
        SELECT t.full_name,
               format('Role %I may not read table %s, through which a submission leads to its course.', current_user, t.full_name),
               t.fix
          FROM ({shortest_course_paths()}) AS p
         CROSS JOIN LATERAL unnest(p.tables) AS read (oid)
          JOIN pg_class AS c ON c.oid = read.oid
          JOIN pg_namespace AS n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL (
                SELECT format('%I.%I', n.nspname, c.relname), format('GRANT USAGE ON SCHEMA %I TO %I', n.nspname, current_user)
                 WHERE NOT has_schema_privilege(n.oid, 'USAGE')
                UNION ALL
                SELECT format('%I.%I', n.nspname, c.relname), format('GRANT SELECT ON %I.%I TO %I', n.nspname, c.relname, current_user)
                 WHERE NOT has_any_column_privilege(c.oid, 'SELECT')
               ) AS t (full_name, fix)
         WHERE c.oid NOT IN (SELECT o.oid FROM owned AS o)
        UNION ALL
        SELECT format('%I', h.nspname),
               format('Role %I may not create objects in schema %I.', current_user, h.nspname),
               format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', h.nspname, current_user)
          FROM platform AS h
         WHERE NOT has_schema_privilege(h.oid, 'CREATE')
            OR NOT has_schema_privilege(h.oid, 'USAGE')
        UNION ALL
        SELECT format('%I', current_database()),
               format('Role %I may not create the schema sessiondb in database %I.', current_user, current_database()),
               format('GRANT CREATE ON DATABASE %I TO %I', current_database(), current_user)
         WHERE to_regnamespace('sessiondb') IS NULL
           AND NOT has_database_privilege(current_database(), 'CREATE')
        UNION ALL
        SELECT 'sessiondb',
               format('Schema sessiondb belongs to %I, and role %I may not act for it.', pg_get_userbyid(n.nspowner), current_user),
               format('Connect as %I, which installed sessiondb. To change the owner, see docs/grants.md.', pg_get_userbyid(n.nspowner))
          FROM pg_namespace AS n
         WHERE n.nspname = 'sessiondb'
           AND NOT pg_has_role(n.nspowner, 'USAGE')
       ) AS f
 -- no grants to a role that is not the one to connect as
 WHERE f.fix !~ '^GRANT' OR NOT EXISTS (SELECT FROM owned AS o WHERE NOT pg_has_role(o.owner, 'USAGE'))
 ORDER BY f.object
