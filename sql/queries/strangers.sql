-- Objects in schema sessiondb of roles that are not trusted, and what else lets such a role create one there, as GRANT writes it: the
-- very first check, from the catalogs alone, before anything in the schema is read or run. $1 owns the platform's table enrollments.
--
-- A function of the platform that was moved to the schema keeps its owner; sessiondb never calls it, but a rollback moves it back.
-- A superuser moves those of trusted roles only, another owner of the schema also those of the roles whose rights it has.
WITH trusted (oid) AS (
{trusted_roles($1)}
),
home AS (
    SELECT n.oid, n.nspowner, n.nspacl FROM pg_namespace AS n WHERE n.nspname = 'sessiondb'
)
SELECT DISTINCT coalesce(o.object, (SELECT format('%s %s', i.type, i.identity) FROM pg_identify_object(o.classid, o.objid, 0) AS i)) AS object,
       CASE WHEN o.owner = 0 THEN 'PUBLIC' ELSE coalesce(quote_ident(pg_get_userbyid(o.owner)), 'unknown') END AS role, o.granted
  FROM (
        SELECT NULL::oid AS classid, NULL::oid AS objid, 'schema sessiondb' AS object, h.nspowner AS owner, NULL AS granted FROM home AS h
        UNION ALL
        SELECT NULL, NULL, 'schema sessiondb', a.grantee, 'CREATE ON SCHEMA sessiondb'
          FROM home AS h
         CROSS JOIN LATERAL aclexplode(h.nspacl) AS a
         WHERE a.privilege_type = 'CREATE' AND a.grantee <> h.nspowner
        UNION ALL
        -- a trigger or a foreign key, also while a command waits for a lock
        SELECT NULL, NULL, min(format('table %s', c.oid::regclass)), a.grantee,
               format('%s ON ALL TABLES IN SCHEMA sessiondb', string_agg(DISTINCT a.privilege_type, ', '))
          FROM home AS h
          JOIN pg_class AS c ON c.relnamespace = h.oid
         CROSS JOIN LATERAL (
                SELECT x.grantee, x.privilege_type FROM aclexplode(c.relacl) AS x
                UNION ALL
                SELECT x.grantee, x.privilege_type FROM pg_attribute AS t CROSS JOIN LATERAL aclexplode(t.attacl) AS x WHERE t.attrelid = c.oid
               ) AS a
         WHERE a.privilege_type IN ('TRIGGER', 'REFERENCES') AND a.grantee <> c.relowner
         GROUP BY a.grantee
        UNION ALL
        -- of every kind; a role that may create objects in the database may also install a trusted extension in any schema
        SELECT x.classid, x.objid, NULL, x.owner, NULL
          FROM home AS h
          JOIN (
{owned()}
               ) AS x ON x.namespace = h.oid
         -- the row type of a table and the array of a type come with these
         WHERE NOT EXISTS (
                SELECT FROM pg_depend AS d
                  LEFT JOIN pg_class AS c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid
                  LEFT JOIN pg_type AS t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid
                 WHERE x.classid = 'pg_type'::regclass AND d.classid = x.classid AND d.objid = x.objid AND d.deptype = 'i'
                   AND x.owner IN (c.relowner, t.typowner))
           AND NOT EXISTS (
                SELECT FROM pg_proc AS p
                  JOIN pg_roles AS r ON r.oid = h.nspowner AND NOT r.rolsuper AND pg_has_role(r.oid, p.proowner, 'USAGE')
                 WHERE x.classid = 'pg_proc'::regclass AND p.oid = x.objid AND p.proname = 'replaced_get_user_session_for_course'
                     AND oidvectortypes(p.proargtypes) = 'uuid, uuid')
        UNION ALL
        -- what a role that had rights on one of the tables left there, also if it belongs to a trusted one now: the triggers of a table
        -- whose foreign key refers to it run with the rights of its owner or, before PostgreSQL 18, of the role that deletes a row
        SELECT 'pg_constraint'::regclass, k.oid, NULL, CASE WHEN t.relowner NOT IN (SELECT r.oid FROM trusted AS r) THEN t.relowner END, NULL
          FROM pg_class AS c
          JOIN home AS h ON h.oid = c.relnamespace
          JOIN pg_constraint AS k ON k.confrelid = c.oid AND k.contype = 'f'
          JOIN pg_class AS t ON t.oid = k.conrelid
        UNION ALL
        -- its condition and its arguments may run any text, and a trigger has no owner
        SELECT 'pg_trigger'::regclass, t.oid, NULL, NULL, NULL
          FROM pg_trigger AS t
          JOIN pg_class AS c ON c.oid = t.tgrelid
          JOIN home AS h ON h.oid = c.relnamespace
         WHERE (t.tgqual IS NOT NULL OR t.tgnargs > 0) AND NOT t.tgisinternal
        UNION ALL
        SELECT NULL, NULL, f.object, f.owner, NULL
          FROM pg_class AS c
          JOIN home AS h ON h.oid = c.relnamespace
         CROSS JOIN LATERAL (
{used_code('pg_class'::regclass, c.oid)}
               ) AS f
       ) AS o
 WHERE o.owner IS NULL OR o.owner NOT IN (SELECT t.oid FROM trusted AS t)
 ORDER BY granted NULLS FIRST, object
